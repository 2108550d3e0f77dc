:INPUT,FORWARD
-m mac --mac-source 02:00:00:00:00:01 ; = ; OK
-m mac ! --mac-source AA:bb:Cc:0:1:2 ; -m mac ! --mac-source aa:bb:cc:00:01:02 ; OK
-m mac --mac-source 02-00-00-00-00-01 ; ; FAIL
-m mac --mac-source 02:00:00:00:00 ; ; FAIL
-m mac --mac-source 02:00:00:00:00:001 ; ; FAIL
-m mac --mac-source 02:00:00:00:00:0g ; ; FAIL
-m mac ; ; FAIL
:OUTPUT
-m mac --mac-source 02:00:00:00:00:01 ; ; FAIL
:POSTROUTING
*mangle
-m mac --mac-source 02:00:00:00:00:01 ; ; FAIL
:PREROUTING
-m mac --mac-source 02:00:00:00:00:01 ; = ; OK
