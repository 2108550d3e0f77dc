*raw
:PREROUTING,OUTPUT
-j NOTRACK ; = ; OK
-p udp -j NOTRACK ; = ; OK
-j NOTRACK --notrack ; ; FAIL
*mangle
:PREROUTING
-j NOTRACK ; ; FAIL
