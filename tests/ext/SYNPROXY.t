:INPUT,FORWARD
-p tcp -j SYNPROXY ; = ; OK
-p tcp -m tcp --dport 443 -j SYNPROXY --mss 1460 --wscale 7 --ecn --timestamp --sack-perm ; -p tcp -m tcp --dport 443 -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460 --ecn ; OK
# eight and sixteen bits are kept
-p tcp -j SYNPROXY --wscale 257 --mss 65537 ; -p tcp -j SYNPROXY --wscale 1 --mss 1 ; OK
-p tcp -j SYNPROXY --mss 0 ; = ; OK
-p tcp -j SYNPROXY --mss 4294967296 ; ; FAIL
-p tcp -j SYNPROXY --mss ; ; FAIL
-p tcp -j SYNPROXY ! --ecn ; ; FAIL
-p tcp -j SYNPROXY --ecn --ecn ; ; FAIL
-p udp -j SYNPROXY ; ; FAIL
! -p tcp -j SYNPROXY ; ; FAIL
-j SYNPROXY ; ; FAIL
:OUTPUT
-p tcp -j SYNPROXY ; ; FAIL
*raw
:PREROUTING
-p tcp -j SYNPROXY ; ; FAIL
