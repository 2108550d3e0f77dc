:INPUT,FORWARD,OUTPUT
-m conntrack --ctstate RELATED,ESTABLISHED ; = ; OK
-m conntrack ! --ctstate INVALID ; = ; OK
-m conntrack --ctstate dnat,new ; -m conntrack --ctstate NEW,DNAT ; OK
-m conntrack --ctstate u ; -m conntrack --ctstate UNTRACKED ; OK
-m conntrack --ctstate s,d ; -m conntrack --ctstate SNAT,DNAT ; OK
-m conntrack --ctstate NEW, ; ; FAIL
-m conntrack --ctstate "NEW ESTABLISHED" ; ; FAIL
-m conntrack --ctproto 17 ; = ; OK
-m conntrack ! --ctproto udp ; -m conntrack ! --ctproto 17 ; OK
-m conntrack --ctproto all ; ; FAIL
-m conntrack --ctproto 256 ; ; FAIL
-m conntrack --ctstatus SEEN_REPLY,ASSURED ; = ; OK
-m conntrack ! --ctstatus confirmed ; -m conntrack ! --ctstatus CONFIRMED ; OK
-m conntrack --ctstatus NONE,EXP ; -m conntrack --ctstatus EXPECTED ; OK
-m conntrack ! --ctstatus NONE ; = ; OK
-m conntrack --ctstatus DYING ; ; FAIL
-m conntrack --ctexpire 10:20 ; = ; OK
-m conntrack ! --ctexpire 10 ; = ; OK
-m conntrack --ctexpire : ; -m conntrack --ctexpire 0:4294967295 ; OK
-m conntrack --ctexpire 5:1 ; ; FAIL
-m conntrack --ctexpire 1:2:3 ; ; FAIL
-m conntrack --ctdir original ; -m conntrack --ctdir ORIGINAL ; OK
-m conntrack ! --ctdir REPLY ; ; FAIL
-m conntrack --ctdir ORIG ; ; FAIL
-m conntrack ! --ctorigsrcport 80 ; = ; OK
-m conntrack --ctrepldstport http ; -m conntrack --ctrepldstport 80 ; OK
-m conntrack --ctorigdstport 0 ; = ; OK
-m conntrack --ctorigdstport 1-2 ; ; FAIL
-m conntrack --ctorigdstport 1:2:3 ; ; FAIL
# the order of a saved rule is its own
-m conntrack --ctdir REPLY --ctexpire 1 --ctproto 6 --ctstate NEW ; -m conntrack --ctstate NEW --ctproto 6 --ctexpire 1 --ctdir REPLY ; OK
-m conntrack --ctstatus ASSURED --ctreplsrcport 53 ; -m conntrack --ctreplsrcport 53 --ctstatus ASSURED ; OK
-m conntrack --ctstate NEW --ctstate NEW ; ; FAIL
-m conntrack ; ; FAIL
@4
-m conntrack --ctorigsrc 10.0.0.1 ; = ; OK
-m conntrack ! --ctorigdst 10.0.0.1/8 ; = ; OK
-m conntrack --ctreplsrc 10.0.0.0/255.0.255.0 ; = ; OK
-m conntrack --ctrepldst 10.0.0.0/255.255.0.0 ; -m conntrack --ctrepldst 10.0.0.0/16 ; OK
# no prefix length, but inet_aton makes a mask of it
-m conntrack --ctorigsrc 10.0.0.1/33 ; -m conntrack --ctorigsrc 10.0.0.1/0.0.0.33 ; OK
-m conntrack --ctorigsrc 10.0.0.1/x ; ; FAIL
-m conntrack --ctorigsrc 2001:db8::1 ; ; FAIL
@6
-m conntrack --ctorigsrc 2001:db8::1 ; = ; OK
-m conntrack ! --ctrepldst 2001:db8::/32 ; = ; OK
-m conntrack --ctorigsrc 10.0.0.1 ; ; FAIL
