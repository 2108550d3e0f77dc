:INPUT,OUTPUT
-m iprange ; ; FAIL
@4
-m iprange --src-range 10.0.0.1-10.0.0.9 ; = ; OK
-m iprange ! --src-range 10.0.0.1-10.0.0.9 ! --dst-range 192.168.0.0-192.168.255.255 ; = ; OK
-m iprange --dst-range 10.0.0.1 --src-range 1.2.3.4 ; -m iprange --src-range 1.2.3.4-1.2.3.4 --dst-range 10.0.0.1-10.0.0.1 ; OK
# what is missing on the right is 0; each part in any base
-m iprange --src-range 10-0x0b.1 ; -m iprange --src-range 10.0.0.0-11.1.0.0 ; OK
# taken with a warning
-m iprange --src-range 10.0.0.9-10.0.0.1 ; = ; OK
-m iprange --src-range 10.0.0.1-10.0.0.9-10.0.0.10 ; ; FAIL
-m iprange --src-range 10.0.0.0/8 ; ; FAIL
-m iprange --src-range 10.0.0.256 ; ; FAIL
-m iprange --src-range -10.0.0.1 ; ; FAIL
-m iprange --src-range localhost ; ; FAIL
-m iprange --src-range 2001:db8::1 ; ; FAIL
-m iprange --src-range 1.2.3.4 --src-range 1.2.3.4 ; ; FAIL
@6
-m iprange --src-range 2001:db8::1-2001:db8::ff ; = ; OK
-m iprange ! --dst-range 2001:DB8:0::1 ; -m iprange ! --dst-range 2001:db8::1-2001:db8::1 ; OK
-m iprange --src-range 10.0.0.1 ; ; FAIL
