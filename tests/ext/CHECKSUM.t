*mangle
:PREROUTING,INPUT,FORWARD,OUTPUT,POSTROUTING
-j CHECKSUM --checksum-fill ; = ; OK
-p udp -j CHECKSUM --checksum-fill ; = ; OK
-j CHECKSUM --checksum-fill --checksum-fill ; ; FAIL
-j CHECKSUM ! --checksum-fill ; ; FAIL
-j CHECKSUM ; ; FAIL
*filter
:INPUT
-j CHECKSUM --checksum-fill ; ; FAIL
