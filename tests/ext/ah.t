@4
:INPUT,FORWARD,OUTPUT
-p ah -m ah ; = ; OK
-p ah -m ah --ahspi 7 ; = ; OK
-p 51 -m ah --ahspi 0x10:0x20 ; -p ah -m ah --ahspi 16:32 ; OK
-p ah --ahspi 7:7 ; -p ah -m ah --ahspi 7 ; OK
-p ah -m ah ! --ahspi 7:9 ; = ; OK
-p ah -m ah --ahspi 0: ; -p ah -m ah ; OK
-p ah -m ah ! --ahspi 0:4294967295 ; = ; OK
-p ah -m ah --ahspi 9:7 ; ; FAIL
-p ah -m ah --ahspi 1:2:3 ; ; FAIL
-p ah -m ah --ahspi 1,2 ; ; FAIL
-p ah -m ah --ahspi 1 --ahspi 2 ; ; FAIL
-p ah -m ah --ahlen 24 ; ; FAIL
-p esp -m ah --ahspi 1 ; ; FAIL
! -p ah -m ah ; ; FAIL
-m ah --ahspi 1 ; ; FAIL
@6
-m ah ; = ; OK
-m ah --ahspi 7:9 ; = ; OK
-m ah --ahlen 24 --ahres ; = ; OK
-m ah --ahres ! --ahlen 24 ! --ahspi 1 ; -m ah ! --ahspi 1 ! --ahlen 24 --ahres ; OK
-m ah --ahlen 0 ; -m ah ; OK
-m ah ! --ahlen 0 ; = ; OK
-m ah ! --ahres ; ; FAIL
-m ah --ahlen 4294967296 ; ; FAIL
