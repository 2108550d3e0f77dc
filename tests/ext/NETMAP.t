*nat
:PREROUTING,INPUT,OUTPUT,POSTROUTING
@4
-j NETMAP --to 10.1.0.0/16 ; = ; OK
-j NETMAP --to 10.1.2.3/16 ; -j NETMAP --to 10.1.0.0/16 ; OK
-j NETMAP --to 10.1.2.3 ; -j NETMAP --to 10.1.2.3/32 ; OK
-j NETMAP --to 10.1.2.3/255.255.0.0 ; -j NETMAP --to 10.1.0.0/16 ; OK
-j NETMAP --to 10.1.2.3/255.0.255.0 ; -j NETMAP --to 10.0.2.0/255.0.255.0 ; OK
-j NETMAP --to 10.1.2.3/0 ; -j NETMAP --to 0.0.0.0/0 ; OK
# no prefix length, so the address 0.0.0.33
-j NETMAP --to 10.1.2.3/33 ; -j NETMAP --to 0.0.0.1/0.0.0.33 ; OK
-j NETMAP --to 10.1.2.3/x ; ; FAIL
-j NETMAP --to fd00::/64 ; ; FAIL
-j NETMAP ; ; FAIL
-j NETMAP ! --to 10.1.2.3 ; ; FAIL
@6
-j NETMAP --to fd00:1::/48 ; = ; OK
-j NETMAP --to fd00:1::9/48 ; -j NETMAP --to fd00:1::/48 ; OK
-j NETMAP --to fd00::/129 ; ; FAIL
*mangle
:PREROUTING
-j NETMAP --to fd00::/64 ; ; FAIL
