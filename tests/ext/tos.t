:INPUT,OUTPUT
-m tos --tos 16 ; -m tos --tos 0x10/0xff ; OK
-m tos ! --tos 0x10/0x3f ; = ; OK
-m tos --tos minimize-COST ; -m tos --tos 0x02/0x3f ; OK
-m tos --tos Minimize ; ; FAIL
-m tos --tos 256 ; ; FAIL
-m tos --tos 1/256 ; ; FAIL
-m tos --tos 1x ; ; FAIL
-m tos --tos 1/ ; ; FAIL
