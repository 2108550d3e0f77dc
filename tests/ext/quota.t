:INPUT,OUTPUT
-m quota --quota 1000 ; = ; OK
-m quota ! --quota 0x100 ; -m quota ! --quota 256 ; OK
-m quota --quota 1k ; ; FAIL
-m quota --quota -1 ; ; FAIL
-m quota --quota 1 --quota 1 ; ; FAIL
