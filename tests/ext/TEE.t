*mangle
:PREROUTING,INPUT,FORWARD,OUTPUT,POSTROUTING
@4
-j TEE --gateway 192.0.2.1 ; = ; OK
-j TEE --oif eth0 --gateway 192.0.2.1 ; -j TEE --gateway 192.0.2.1 --oif eth0 ; OK
-j TEE --gateway 192.0.2.1 --oif averyveryverylongname ; -j TEE --gateway 192.0.2.1 --oif averyveryverylo ; OK
-j TEE --gateway 0.0.0.0 ; ; FAIL
-j TEE --gateway 2001:db8::1 ; ; FAIL
-j TEE --gateway 192.0.2.1/24 ; ; FAIL
-j TEE --oif eth0 ; ; FAIL
-j TEE ! --gateway 192.0.2.1 ; ; FAIL
@6
-j TEE --gateway 2001:db8::1 ; = ; OK
-j TEE --gateway 2001:DB8:0::1 --oif eth0 ; -j TEE --gateway 2001:db8::1 --oif eth0 ; OK
-j TEE --gateway :: ; ; FAIL
-j TEE ; ; FAIL
*filter
:INPUT
-j TEE --gateway 2001:db8::1 ; = ; OK
