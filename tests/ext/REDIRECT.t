*nat
:PREROUTING,OUTPUT
-j REDIRECT ; = ; OK
-j REDIRECT --random ; = ; OK
-p tcp -j REDIRECT --to-ports 3128 ; = ; OK
-p tcp -j REDIRECT --to-ports 3128-3130 --random ; = ; OK
-p udp -j REDIRECT --to-ports domain ; -p udp -j REDIRECT --to-ports 53 ; OK
-p tcp -j REDIRECT --to-ports 0x50 ; -p tcp -j REDIRECT --to-ports 80 ; OK
-p tcp -j REDIRECT --to-ports 1-2/3 ; ; FAIL
-p tcp -j REDIRECT --to-ports 1:2 ; ; FAIL
-p tcp -j REDIRECT --to-ports -1 ; ; FAIL
-p gre -j REDIRECT --to-ports 1 ; ; FAIL
-p tcp -j REDIRECT --to-ports 1 --to-ports 1 ; ; FAIL
-j REDIRECT --random-fully ; ; FAIL
:POSTROUTING,INPUT
-j REDIRECT ; ; FAIL
