:INPUT,FORWARD,OUTPUT
-p ipcomp -m ipcomp ; = ; OK
-p 108 --ipcompspi 2:0x10 ; -p ipcomp -m ipcomp --ipcompspi 2:16 ; OK
-p ipcomp -m ipcomp --compres ! --ipcompspi 3 ; -p ipcomp -m ipcomp ! --ipcompspi 3 --compres ; OK
-p ipcomp -m ipcomp --compres ; = ; OK
-p ipcomp -m ipcomp ! --compres ; ; FAIL
-p ipcomp -m ipcomp --ipcompspi -5 ; ; FAIL
-m ipcomp ; ; FAIL
