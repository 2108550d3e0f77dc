*mangle
:PREROUTING,INPUT,FORWARD,OUTPUT,POSTROUTING
-j DSCP --set-dscp 0 ; -j DSCP --set-dscp 0x00 ; OK
-j DSCP --set-dscp 63 ; -j DSCP --set-dscp 0x3f ; OK
-j DSCP --set-dscp-class ef ; -j DSCP --set-dscp 0x2e ; OK
-j DSCP --set-dscp-class CS5 ; -j DSCP --set-dscp 0x28 ; OK
-j DSCP --set-dscp-class af42 ; -j DSCP --set-dscp 0x24 ; OK
# what follows the name is not looked at
-j DSCP --set-dscp-class CS17 ; -j DSCP --set-dscp 0x08 ; OK
-j DSCP --set-dscp 64 ; ; FAIL
-j DSCP --set-dscp-class cs ; ; FAIL
-j DSCP --set-dscp-class af14 ; ; FAIL
-j DSCP --set-dscp-class EF --set-dscp 1 ; ; FAIL
-j DSCP ! --set-dscp 1 ; ; FAIL
-j DSCP ; ; FAIL
*filter
:INPUT
-j DSCP --set-dscp 1 ; ; FAIL
