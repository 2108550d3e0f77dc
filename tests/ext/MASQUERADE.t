*nat
:POSTROUTING
-j MASQUERADE ; = ; OK
-j MASQUERADE --random-fully --random ; -j MASQUERADE --random --random-fully ; OK
-p tcp -j MASQUERADE --to-ports 4096 ; = ; OK
-p udp -j MASQUERADE --to-ports 4096-8191 --random ; = ; OK
-p udp -j MASQUERADE --to-ports 5-5 ; -p udp -j MASQUERADE --to-ports 5 ; OK
-p tcp -j MASQUERADE --to-ports 10-20/3 ; -p tcp -j MASQUERADE --to-ports 10-20/0 ; OK
-j MASQUERADE --to-ports 80 ; ; FAIL
-p tcp -j MASQUERADE --to-ports 9-8 ; ; FAIL
-p tcp -j MASQUERADE --to-ports "" ; ; FAIL
-j MASQUERADE --persistent ; ; FAIL
-j MASQUERADE ! --random ; ; FAIL
:PREROUTING,INPUT,OUTPUT
-j MASQUERADE ; ; FAIL
*mangle
:POSTROUTING
-j MASQUERADE ; ; FAIL
