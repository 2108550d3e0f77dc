:INPUT,FORWARD
-p tcp -m osf --genre Linux ; = ; OK
-p tcp -m osf ! --genre Windows --log 2 ; = ; OK
-p tcp -m osf --log 1 --ttl 2 --genre Linux ; -p tcp -m osf --genre Linux --ttl 2 --log 1 ; OK
-p tcp -m osf --genre Linux --log 3 ; ; FAIL
-p tcp -m osf --ttl 1 ; ; FAIL
-p udp -m osf --genre Linux ; ; FAIL
-m osf --genre Linux ; ; FAIL
:OUTPUT
-p tcp -m osf --genre Linux ; ; FAIL
