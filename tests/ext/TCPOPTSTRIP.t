*mangle
:PREROUTING,INPUT,FORWARD,OUTPUT,POSTROUTING
-p tcp -j TCPOPTSTRIP ; = ; OK
-p tcp -j TCPOPTSTRIP --strip-options 3,2 ; -p tcp -j TCPOPTSTRIP --strip-options 2,3 ; OK
-p tcp -j TCPOPTSTRIP --strip-options timestamp,sack,0xff,md5 ; -p tcp -j TCPOPTSTRIP --strip-options 5,8,19,255 ; OK
-p tcp -j TCPOPTSTRIP --strip-options 1 ; ; FAIL
-p tcp -j TCPOPTSTRIP --strip-options 256 ; ; FAIL
-p tcp -j TCPOPTSTRIP --strip-options mss,2 ; ; FAIL
-p tcp -j TCPOPTSTRIP --strip-options 2, ; ; FAIL
-p tcp -j TCPOPTSTRIP --strip-options MSS ; ; FAIL
-p tcp -j TCPOPTSTRIP ! --strip-options 2 ; ; FAIL
-j TCPOPTSTRIP --strip-options 2 ; ; FAIL
! -p tcp -j TCPOPTSTRIP --strip-options 2 ; ; FAIL
*filter
:FORWARD
-p tcp -j TCPOPTSTRIP --strip-options 2 ; ; FAIL
