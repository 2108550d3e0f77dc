*mangle
:PREROUTING,INPUT,FORWARD,OUTPUT,POSTROUTING
-j SECMARK --selctx system_u:object_r:ssh_packet_t:s0 ; = ; OK
-j SECMARK ; ; FAIL
-j SECMARK --selctx ; ; FAIL
-j SECMARK ! --selctx a:b:c ; ; FAIL
*security
:INPUT,FORWARD,OUTPUT
-j SECMARK --selctx a:b:c:s0-s0 ; = ; OK
*filter
-j SECMARK --selctx a:b:c ; ; FAIL
