:INPUT,FORWARD,OUTPUT
-m addrtype --dst-type LOCAL ; = ; OK
-m addrtype ! --dst-type UNICAST,LOCAL ; = ; OK
-m addrtype --dst-type local ! --src-type multi,u ; -m addrtype ! --src-type UNSPEC,MULTICAST --dst-type LOCAL ; OK
-m addrtype --src-type LOCAL, ; ; FAIL
-m addrtype --src-type "" ; ; FAIL
-m addrtype --src-type LOCALS ; ; FAIL
-m addrtype --src-type LOCAL --src-type LOCAL ; ; FAIL
-m addrtype --src-type LOCAL ! --limit-iface-in ; ; FAIL
-m addrtype ; ; FAIL
:FORWARD
-m addrtype --src-type LOCAL --limit-iface-in ; = ; OK
-m addrtype --limit-iface-out --dst-type LOCAL ; -m addrtype --dst-type LOCAL --limit-iface-out ; OK
:INPUT
-m addrtype --src-type LOCAL --limit-iface-out ; ; FAIL
:OUTPUT
-m addrtype --src-type LOCAL --limit-iface-in ; ; FAIL
@4
-m addrtype --dst-type BROADCAST,BLACKHOLE,PROHIBIT,THROW,NAT,XRESOLVE ; = ; OK
@6
-m addrtype --dst-type ANYCAST,UNREACHABLE ; = ; OK
-m addrtype --dst-type BROADCAST ; ; FAIL
-m addrtype --src-type BLACKHOLE ; ; FAIL
-m addrtype --src-type PROHIBIT ; ; FAIL
-m addrtype --src-type XRESOLVE ; ; FAIL
