:INPUT,FORWARD,OUTPUT
-j AUDIT --type drop ; = ; OK
-j AUDIT --type Reject ; -j AUDIT --type reject ; OK
-p tcp -j AUDIT --type ACCEPT ; -p tcp -j AUDIT --type accept ; OK
-j AUDIT ; ; FAIL
-j AUDIT --type ; ; FAIL
-j AUDIT --type dro ; ; FAIL
-j AUDIT --type "" ; ; FAIL
-j AUDIT ! --type drop ; ; FAIL
-j AUDIT --type drop --type drop ; ; FAIL
*mangle
:PREROUTING,POSTROUTING
-j AUDIT --type accept ; = ; OK
