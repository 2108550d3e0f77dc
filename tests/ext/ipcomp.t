:INPUT,FORWARD,OUTPUT
# without an option the range is 0 to 0
-p ipcomp -m ipcomp ; -p ipcomp -m ipcomp --ipcompspi 0 ; OK
-p ipcomp -m ipcomp --ipcompspi : ; -p ipcomp -m ipcomp ; OK
-p 108 --ipcompspi 2:0x10 ; -p ipcomp -m ipcomp --ipcompspi 2:16 ; OK
-p ipcomp -m ipcomp --compres ! --ipcompspi 3 ; -p ipcomp -m ipcomp ! --ipcompspi 3 --compres ; OK
-p ipcomp -m ipcomp --compres ; -p ipcomp -m ipcomp --ipcompspi 0 --compres ; OK
-p ipcomp -m ipcomp ! --compres ; ; FAIL
-p ipcomp -m ipcomp --ipcompspi -5 ; ; FAIL
-m ipcomp ; ; FAIL
