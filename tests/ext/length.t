:INPUT,OUTPUT
-m length --length 0x40 ; -m length --length 64 ; OK
-m length ! --length 64:128 ; = ; OK
-m length ! --length 65535 ; = ; OK
-m length --length 128:64 ; ; FAIL
-m length --length 64-128 ; ; FAIL
-m length --length 1:2:3 ; ; FAIL
-m length --length 65536 ; ; FAIL
-m length --length "" ; -m length --length 0 ; OK
-m length --length 1 --length 1 ; ; FAIL
