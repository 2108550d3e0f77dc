*raw
:PREROUTING,OUTPUT
-j TRACE ; = ; OK
-p icmp -j TRACE ; = ; OK
@4
-j TRACE --set 1 ; ; FAIL
*filter
:INPUT,FORWARD
-j TRACE ; ; FAIL ; legacy
-j TRACE ; = ; OK ; nft
