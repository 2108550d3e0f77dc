*mangle
:INPUT,POSTROUTING
-j SNPT --src-pfx fd01:2:3::/48 --dst-pfx 2001:db8:1::/48 ; = ; OK
-p tcp -m tcp --dport 80 -j SNPT --src-pfx fc00::/7 --dst-pfx 2000::/3 ; = ; OK
-j SNPT --src-pfx fd01::/64 --dst-pfx fd02::/66 ; ; FAIL
-j SNPT --src-pfx fd01::/64 --dst-pfx fd02::2/64 ; ; FAIL
-j SNPT --dst-pfx fd02::/64 ; ; FAIL
-j SNPT --src-pfx fd01::/64 --src-pfx fd01::/64 --dst-pfx fd02::/64 ; ; FAIL
:PREROUTING,FORWARD,OUTPUT
-j SNPT --src-pfx fd01::/64 --dst-pfx fd02::/64 ; ; FAIL
*filter
:INPUT
-j SNPT --src-pfx fd01::/64 --dst-pfx fd02::/64 ; ; FAIL
