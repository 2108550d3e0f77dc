:INPUT,FORWARD,OUTPUT
@4
-m recent --set --name ssh ; -m recent --set --name ssh --mask 255.255.255.255 --rsource ; OK
-m recent ! --rcheck --name ssh --rdest ; -m recent ! --rcheck --name ssh --mask 255.255.255.255 --rdest ; OK
-m recent --update --hitcount 4 --seconds 60 --name ssh --mask 255.255.255.0 --rsource ; -m recent --update --seconds 60 --hitcount 4 --name ssh --mask 255.255.255.0 --rsource ; OK
-m recent --update --seconds 60 --reap --hitcount 4 --rttl --name ssh --mask 255.255.255.255 --rsource ; = ; OK
-m recent --remove --name ssh --mask 0.0.0.0 --rsource ; = ; OK
-m recent --rcheck --hitcount 0 --name ssh --mask 255.255.255.255 --rsource ; -m recent --rcheck --name ssh --mask 255.255.255.255 --rsource ; OK
-m recent --rcheck --hitcount 65535 --name ssh --mask 255.255.255.255 --rsource ; = ; OK
# of both sides the later one counts
-m recent --rcheck --rdest --rsource ; -m recent --rcheck --name DEFAULT --mask 255.255.255.255 --rsource ; OK
@6
-m recent --rcheck --name ssh --mask ffff:ffff:ffff:ffff:: --rdest ; = ; OK
-m recent --set --rcheck ; ; FAIL
-m recent --set --seconds 5 ; ; FAIL
-m recent --remove --hitcount 5 ; ; FAIL
-m recent --remove --rttl ; ; FAIL
-m recent --rcheck --reap ; ; FAIL
-m recent --rcheck --seconds 0 ; ; FAIL
-m recent --rcheck --name "" ; ; FAIL
-m recent --rcheck --name a/b ; ; FAIL
-m recent --rcheck ! --seconds 5 ; ; FAIL
-m recent --rcheck --mask 64 ; ; FAIL
-m recent --rcheck --mask x ; ; FAIL
-m recent --name ssh ; ; FAIL
