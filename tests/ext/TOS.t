*mangle
:PREROUTING,INPUT,FORWARD,OUTPUT,POSTROUTING
-j TOS --set-tos 0x12 ; -j TOS --set-tos 0x12/0xff ; OK
-j TOS --set-tos 18/0x1e ; -j TOS --set-tos 0x12/0x1e ; OK
-j TOS --set-tos minimize-COST ; -j TOS --set-tos 0x02/0x3f ; OK
-j TOS --and-tos 0x0f ; -j TOS --set-tos 0x00/0xf0 ; OK
-j TOS --or-tos 0x80 ; -j TOS --set-tos 0x80/0x80 ; OK
-j TOS --xor-tos 255 ; -j TOS --set-tos 0xff/0x00 ; OK
-j TOS --set-tos 256 ; ; FAIL
-j TOS --set-tos Minimize ; ; FAIL
-j TOS --set-tos 1/ ; ; FAIL
-j TOS --set-tos 1/256 ; ; FAIL
-j TOS --set-tos 1 --or-tos 1 ; ; FAIL
-j TOS --and-tos -1 ; ; FAIL
-j TOS ! --or-tos 1 ; ; FAIL
-j TOS ; ; FAIL
*filter
:FORWARD
-j TOS --or-tos 1 ; ; FAIL
