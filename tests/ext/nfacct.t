# no accounting object exists here
:INPUT,FORWARD,OUTPUT
-m nfacct --nfacct-name lan ; ; FAIL
-m nfacct --nfacct-name "" ; ; FAIL
-m nfacct ; ; FAIL
