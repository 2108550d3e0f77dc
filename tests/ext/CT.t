*raw
:PREROUTING,OUTPUT
-j CT ; = ; OK
-j CT --notrack ; = ; OK
-j CT --zone 7 ; = ; OK
-j CT --zone 0 ; -j CT ; OK
-j CT --zone 0xffff ; -j CT --zone 65535 ; OK
-j CT --zone MARK ; -j CT --zone mark ; OK
-j CT --zone-orig 5 ; = ; OK
-j CT --zone-reply mark ; = ; OK
# both directions: no direction
-j CT --zone-orig 5 --zone-reply 6 ; -j CT --zone 6 ; OK
-j CT --ctevents destroy,new ; -j CT --ctevents new,destroy ; OK
-j CT --ctevents natseqinfo,secmark --expevents new ; = ; OK
-p tcp -j CT --helper ftp ; = ; OK
-p udp -j CT --zone 3 --helper tftp ; -p udp -j CT --helper tftp --zone 3 ; OK
-p udp -j CT --helper ftp ; ; FAIL
-j CT --helper ftp ; ; FAIL
! -p tcp -j CT --helper ftp ; ; FAIL
-p tcp -j CT --helper nosuch ; ; FAIL
-p tcp -j CT --timeout nosuch ; ; FAIL
-j CT --zone 65536 ; ; FAIL
-j CT --zone x ; ; FAIL
-j CT --zone 1 --zone 1 ; ; FAIL
-j CT --ctevents newer ; ; FAIL
-j CT --ctevents "" ; ; FAIL
-j CT --expevents destroy ; ; FAIL
-j CT ! --notrack ; ; FAIL
@6
-p tcp -j CT --helper irc ; ; FAIL
@4
-p tcp -j CT --helper irc ; = ; OK
*filter
:INPUT
-j CT --notrack ; ; FAIL
