:INPUT,FORWARD,OUTPUT
-p esp -m esp ; = ; OK
-p 50 --espspi 0x100 ; -p esp -m esp --espspi 256 ; OK
-p esp -m esp --espspi 5:5 ; -p esp -m esp --espspi 5 ; OK
-p esp -m esp ! --espspi 5:6 ; = ; OK
-p esp -m esp --espspi 0: ; -p esp -m esp ; OK
-p esp -m esp ! --espspi 0: ; -p esp -m esp ! --espspi 0:4294967295 ; OK
-p esp -m esp --espspi 6:5 ; ; FAIL
-p esp -m esp --espspi x ; ; FAIL
-p esp -m esp --espspi 5x ; ; FAIL
-p udp -m esp --espspi 5 ; ; FAIL
! -p esp -m esp --espspi 5 ; ; FAIL
