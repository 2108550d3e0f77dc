:INPUT,OUTPUT
-m helper --helper ftp-2121 ; = ; OK
-m helper ! --helper irc ; = ; OK
-m helper --helper "" ; -m helper --helper "" ; OK
-m helper --helper "no such" ; -m helper --helper "no such" ; OK
-m helper --helper aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ; -m helper --helper aaaaaaaaaaaaaaaaaaaaaaaaaaaaa ; OK
-m helper --helper ftp --helper ftp ; ; FAIL
