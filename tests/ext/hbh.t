:INPUT,FORWARD,OUTPUT
-m hbh ; = ; OK
-m hbh --hbh-len 8 ; = ; OK
-m hbh ! --hbh-len 8 ; = ; OK
-m hbh --hbh-len 65536 ; = ; OK
-m hbh --hbh-len eight ; ; FAIL
-m hbh --hbh-len ; ; FAIL
# router alert, jumbo payload
-m hbh --hbh-opts 5:2 ; = ; OK
-m hbh --hbh-opts 0xc2:4 ; -m hbh --hbh-opts 194:4 ; OK
-m hbh --hbh-opts 5:2,1 ! --hbh-len 8 ; -m hbh ! --hbh-len 8 --hbh-opts 5:2,1 ; OK
-m hbh --hbh-opts 0:1 ; ; FAIL
-m hbh --hbh-opts "" ; ; FAIL
