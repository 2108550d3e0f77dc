:INPUT,FORWARD,OUTPUT
-p udp -m udp ; = ; OK
-p udp --dport domain ; -p udp -m udp --dport 53 ; OK
-p udp -m udp --source-port 67:68 ! --destination-port 1024: ; -p udp -m udp --sport 67:68 ! --dport 1024:65535 ; OK
# decimal only
-p udp -m udp --sport 010 ; -p udp -m udp --sport 10 ; OK
-p udp -m udp --sport 0x10 ; ; FAIL
-p udp -m udp --sport 0 ; = ; OK
-p udp -m udp --sport 0:65535 ; -p udp -m udp ; OK
-p udp -m udp ! --sport :9 ; -p udp -m udp ! --sport 0:9 ; OK ; legacy
-p udp -m udp ! --sport :9 ; -p udp -m udp --sport 10:65535 ; OK ; nft
-m udp --dport 53 ; ; FAIL
-p tcp -m udp --dport 53 ; ; FAIL
-p udplite -m udp --dport 53 ; ; FAIL
-p udp -m udp --dport 53 --dport 53 ; ; FAIL
-p udp -m udp --dport -1 ; ; FAIL
-p udp -m udp --dport 53:52 ; ; FAIL
-p udp -m udp --dport 53-54 ; ; FAIL
-p udp -m udp --syn ; ; FAIL
