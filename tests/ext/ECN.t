*mangle
:PREROUTING,FORWARD,OUTPUT,POSTROUTING
-p tcp -j ECN --ecn-tcp-remove ; = ; OK
-j ECN --ecn-ip-ect 2 ; = ; OK
-p tcp -j ECN --ecn-tcp-cwr 1 --ecn-tcp-ece 0 ; -p tcp -j ECN --ecn-tcp-ece 0 --ecn-tcp-cwr 1 ; OK
-p tcp -j ECN --ecn-tcp-ece 0 --ecn-tcp-cwr 0 ; -p tcp -j ECN --ecn-tcp-remove ; OK
-p tcp -j ECN --ecn-tcp-remove --ecn-ip-ect 0 ; -p tcp -j ECN --ecn-tcp-ece 0 --ecn-tcp-cwr 0 --ecn-ip-ect 0 ; OK
# --ecn-tcp-remove forgets what was said of the IP header
-p tcp -j ECN --ecn-ip-ect 1 --ecn-tcp-remove ; -p tcp -j ECN --ecn-tcp-remove ; OK
-j ECN --ecn-tcp-remove ; ; FAIL
-p udp -j ECN --ecn-tcp-ece 1 ; ; FAIL
! -p tcp -j ECN --ecn-tcp-ece 1 ; ; FAIL
-j ECN --ecn-ip-ect 4 ; ; FAIL
-p tcp -j ECN --ecn-tcp-cwr 2 ; ; FAIL
-p tcp -j ECN --ecn-tcp-remove --ecn-tcp-ece 0 ; ; FAIL
-p tcp -j ECN ; ; FAIL
*filter
:FORWARD
-j ECN --ecn-ip-ect 2 ; ; FAIL
