:INPUT,FORWARD,OUTPUT
-p tcp -m tcpmss --mss 1460 ; = ; OK
-p tcp -m tcpmss ! --mss 500:0x5b4 ; -p tcp -m tcpmss ! --mss 500:1460 ; OK
-p tcp -m tcpmss --mss 7:7 ; -p tcp -m tcpmss --mss 7 ; OK
-p tcp -m tcpmss --mss 2:1 ; ; FAIL
-p tcp -m tcpmss --mss 65536 ; ; FAIL
-p tcp -m tcpmss --mss 1:2:3 ; ; FAIL
-p tcp -m tcpmss ; ; FAIL
-p udp -m tcpmss --mss 1 ; ; FAIL
! -p tcp -m tcpmss --mss 1 ; ; FAIL
