*nat
:PREROUTING,OUTPUT
@4
-j DNAT --to-destination 10.0.0.1 ; = ; OK
-j DNAT --to-destination 10.0.0.1-10.0.0.4 --persistent ; = ; OK
-p tcp -j DNAT --to-destination 10.0.0.1:8080 --random ; = ; OK
-p tcp -j DNAT --to-destination :8080 ; = ; OK
-p tcp -j DNAT --to-destination 10.0.0.1:http ; -p tcp -j DNAT --to-destination 10.0.0.1:80 ; OK
-p sctp -j DNAT --to-destination 10.0.0.1:1000-1999/5000 ; = ; OK
-p tcp -j DNAT --to-destination 10.0.0.1:1000-1999/ssh ; -p tcp -j DNAT --to-destination 10.0.0.1:1000-1999/22 ; OK
-p tcp -j DNAT --to-destination 10.0.0.1:1000-1999/5rest ; -p tcp -j DNAT --to-destination 10.0.0.1:1000-1999/5 ; OK
# any colon in third place begins the ports
-p tcp -j DNAT --to-destination 10:80 ; -p tcp -j DNAT --to-destination :80 ; OK
-p tcp -j DNAT --to-destination 10.0.0.1:1000-1999/0 ; ; FAIL
-p tcp -j DNAT --to-destination 10.0.0.1:ssh-80 ; ; FAIL
-p tcp -j DNAT --to-destination 10.0.0.1:80-http ; ; FAIL
-p tcp -j DNAT --to-destination 10.0.0.1:65536 ; ; FAIL
-p esp -j DNAT --to-destination 10.0.0.1:80 ; ; FAIL
-j DNAT --to-destination 10.0.0.256 ; ; FAIL
-j DNAT --to-destination 10.0.0.1- ; ; FAIL
-j DNAT --to-destination 10.0.0.1 --random-fully ; ; FAIL
-j DNAT ; ; FAIL
@6
-j DNAT --to-destination fd00::1-fd00::9 ; = ; OK
-p udp -j DNAT --to-destination [fd00::1]:5353-5355/7 ; = ; OK
-p ipv6-icmp -j DNAT --to-destination [fd00::1]:7 ; ; FAIL
-j DNAT --to-destination fd00::1:: ; ; FAIL
:POSTROUTING,INPUT
-j DNAT --to-destination fd00::1 ; ; FAIL
