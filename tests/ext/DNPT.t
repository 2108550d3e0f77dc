*mangle
:PREROUTING,OUTPUT
-j DNPT --src-pfx 2001:db8:1::/48 --dst-pfx fd01:2:3::/48 ; = ; OK
-j DNPT --dst-pfx fd01::/16 --src-pfx 2001:DB8::/32 ; -j DNPT --src-pfx 2001:db8::/32 --dst-pfx fd01::/16 ; OK
-j DNPT --src-pfx fd01::/64 --dst-pfx fd02::/ffff:ffff:ffff:ffff:: ; -j DNPT --src-pfx fd01::/64 --dst-pfx fd02::/64 ; OK
# nothing is saved of ::/0
-j DNPT --src-pfx ::/0 --dst-pfx fd02::/64 ; -j DNPT --dst-pfx fd02::/64 ; OK
-j DNPT --src-pfx fd01::/65 --dst-pfx fd02::/64 ; ; FAIL
-j DNPT --src-pfx fd01:: --dst-pfx fd02::/64 ; ; FAIL
-j DNPT --src-pfx fd01::1/64 --dst-pfx fd02::/64 ; ; FAIL
-j DNPT --src-pfx fd01::/64 --dst-pfx fd02::5:0:0:0:0/56 ; ; FAIL
-j DNPT --src-pfx fd01::/64 ; ; FAIL
-j DNPT ; ; FAIL
-j DNPT --src-pfx 10.0.0.0/8 --dst-pfx fd02::/64 ; ; FAIL
-j DNPT --src-pfx fd01::/64 ! --dst-pfx fd02::/64 ; ; FAIL
:INPUT,FORWARD,POSTROUTING
-j DNPT --src-pfx fd01::/64 --dst-pfx fd02::/64 ; ; FAIL
*filter
:OUTPUT
-j DNPT --src-pfx fd01::/64 --dst-pfx fd02::/64 ; ; FAIL
