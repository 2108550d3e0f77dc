:INPUT,OUTPUT
-m ecn --ecn-ip-ect 3 ; = ; OK
-m ecn ! --ecn-ip-ect 0 ; = ; OK
-p tcp -m ecn --ecn-tcp-cwr ! --ecn-tcp-ece ; -p tcp -m ecn ! --ecn-tcp-ece --ecn-tcp-cwr ; OK
-m ecn --ecn-ip-ect 4 ; ; FAIL
-p udp -m ecn --ecn-tcp-ece ; ; FAIL
! -p tcp -m ecn --ecn-tcp-ece ; ; FAIL
-m ecn --ecn-tcp-ece ; ; FAIL
-m ecn ; ; FAIL
