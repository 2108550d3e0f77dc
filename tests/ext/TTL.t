*mangle
:PREROUTING,INPUT,FORWARD,OUTPUT,POSTROUTING
-j TTL --ttl-set 0 ; = ; OK
-j TTL --ttl-set 255 ; = ; OK
-j TTL --ttl-set 0x40 ; -j TTL --ttl-set 64 ; OK
-j TTL --ttl-dec 1 ; = ; OK
-j TTL --ttl-inc 255 ; = ; OK
-j TTL --ttl-inc 0 ; ; FAIL
-j TTL --ttl-dec 256 ; ; FAIL
-j TTL --ttl-set 64x ; ; FAIL
-j TTL --ttl-set 64 --ttl-inc 1 ; ; FAIL
-j TTL --ttl-set 64 --ttl-set 64 ; ; FAIL
-j TTL ! --ttl-set 64 ; ; FAIL
-j TTL --ttl 64 ; ; FAIL
-j TTL ; ; FAIL
*filter
:INPUT
-j TTL --ttl-set 64 ; ; FAIL
