*mangle
:FORWARD,OUTPUT,POSTROUTING
-j CLASSIFY --set-class 1:10 ; -j CLASSIFY --set-class 0001:0010 ; OK
-j CLASSIFY --set-class 0xfFfF:0x0a ; -j CLASSIFY --set-class ffff:000a ; OK
-j CLASSIFY --set-class " 12345:-1rest" ; -j CLASSIFY --set-class 2345:ffff ; OK
-j CLASSIFY --set-class 1 ; ; FAIL
-j CLASSIFY --set-class 1: ; ; FAIL
-j CLASSIFY --set-class x:1 ; ; FAIL
-j CLASSIFY --set-class "1 :1" ; ; FAIL
-j CLASSIFY ! --set-class 1:1 ; ; FAIL
-j CLASSIFY ; ; FAIL
:PREROUTING,INPUT
-j CLASSIFY --set-class 1:1 ; ; FAIL
*filter
:FORWARD
-j CLASSIFY --set-class 0:1 ; -j CLASSIFY --set-class 0000:0001 ; OK
