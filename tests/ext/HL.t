*mangle
:PREROUTING,INPUT,FORWARD,OUTPUT,POSTROUTING
-j HL --hl-set 0 ; = ; OK
-j HL --hl-set 255 ; = ; OK
-j HL --hl-set 0x40 ; -j HL --hl-set 64 ; OK
-j HL --hl-dec 1 ; = ; OK
-j HL --hl-inc 255 ; = ; OK
-j HL --hl-inc 0 ; ; FAIL
-j HL --hl-dec 256 ; ; FAIL
-j HL --hl-set 64x ; ; FAIL
-j HL --hl-set 64 --hl-inc 1 ; ; FAIL
-j HL --hl-set 64 --hl-set 64 ; ; FAIL
-j HL ! --hl-set 64 ; ; FAIL
-j HL --hl 64 ; ; FAIL
-j HL ; ; FAIL
*filter
:INPUT
-j HL --hl-set 64 ; ; FAIL
