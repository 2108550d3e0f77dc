*mangle
:PREROUTING,INPUT,FORWARD,OUTPUT,POSTROUTING
-j CONNSECMARK --save ; = ; OK
-j CONNSECMARK --restore ; = ; OK
-j CONNSECMARK ; ; FAIL
-j CONNSECMARK --save --restore ; ; FAIL
-j CONNSECMARK ! --save ; ; FAIL
-j CONNSECMARK --save --save ; ; FAIL
*security
:INPUT,OUTPUT
-j CONNSECMARK --save ; = ; OK
*filter
-j CONNSECMARK --save ; ; FAIL
