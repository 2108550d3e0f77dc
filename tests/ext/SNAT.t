*nat
:POSTROUTING,INPUT
@4
-j SNAT --to-source 192.0.2.1 ; = ; OK
-j SNAT --to-source 192.0.2.1-192.0.2.1 ; -j SNAT --to-source 192.0.2.1 ; OK
-j SNAT --to-source 192.0.2.9-192.0.2.1 --persistent --random ; -j SNAT --to-source 192.0.2.9-192.0.2.1 --random --persistent ; OK
-p tcp -j SNAT --to-source :1024-2047 --random-fully ; = ; OK
-p udp -j SNAT --to-source 192.0.2.1:domain ; -p udp -j SNAT --to-source 192.0.2.1:53 ; OK
-p icmp -j SNAT --to-source 192.0.2.1:7-9 ; = ; OK
# its revision has no room for the base of a shifted range
-p tcp -j SNAT --to-source 192.0.2.1:10-20/5 ; -p tcp -j SNAT --to-source 192.0.2.1:10-20/0 ; OK
-j SNAT --to-source 192.0.2.1:80 ; ; FAIL
-p tcp -j SNAT --to-source 192.0.2.1:20-10 ; ; FAIL
-p tcp -j SNAT --to-source 192.0.2.1:80:81 ; ; FAIL
-p tcp -j SNAT --to-source 192.0.2.1:80x ; ; FAIL
-j SNAT --to-source 192.0.2 ; ; FAIL
-j SNAT --to-source [192.0.2.1] ; ; FAIL
-j SNAT --to-source "" ; ; FAIL
-j SNAT --to-source 192.0.2.1 --to-source 192.0.2.2 ; ; FAIL
-j SNAT ! --to-source 192.0.2.1 ; ; FAIL
-j SNAT --random ; ; FAIL
@6
-j SNAT --to-source 2001:db8::1 ; = ; OK
-j SNAT --to-source [2001:db8::1] ; -j SNAT --to-source 2001:db8::1 ; OK
-p tcp -j SNAT --to-source [2001:db8::1-2001:db8::9]:80 ; = ; OK
-p tcp -j SNAT --to-source []:80 ; -p tcp -j SNAT --to-source :80 ; OK
-j SNAT --to-source [2001:db8::1 ; ; FAIL
-p tcp -j SNAT --to-source 192.0.2.1:80 ; ; FAIL
@4
:PREROUTING,OUTPUT
-j SNAT --to-source 192.0.2.1 ; ; FAIL
*filter
:INPUT
-j SNAT --to-source 192.0.2.1 ; ; FAIL
