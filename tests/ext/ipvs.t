:INPUT,FORWARD,OUTPUT
-m ipvs ! --ipvs ; = ; OK
-m ipvs --ipvs --vport 8080 ; -m ipvs --vport 8080 ; OK
-m ipvs --vmethod masq --vdir reply --vportctl ftp --vproto udp ; -m ipvs --vproto 17 --vdir REPLY --vmethod MASQ --vportctl 21 ; OK
-m ipvs ! --vproto 6 ! --vport 1 ! --vmethod GATE ! --vportctl 2 ; = ; OK
-m ipvs --vproto all ; -m ipvs --vproto 0 ; OK
-m ipvs ! --ipvs --vport 1 ; ; FAIL
-m ipvs ! --vdir REPLY ; ; FAIL
-m ipvs --vdir both ; ; FAIL
-m ipvs --vmethod NAT ; ; FAIL
-m ipvs --vproto nosuch ; ; FAIL
-m ipvs --vport nosuch ; ; FAIL
-m ipvs ; ; FAIL
@4
-m ipvs --vaddr 10.1.2.3/8 ; = ; OK
-m ipvs --vaddr 10.1.2.3/32 ; -m ipvs --vaddr 10.1.2.3 ; OK
-m ipvs ! --vaddr 10.0.0.1/255.0.0.255 ; = ; OK
-m ipvs --vaddr ::1 ; ; FAIL
@6
-m ipvs --vaddr fc00::1/7 ; = ; OK
-m ipvs --vaddr 10.1.2.3 ; ; FAIL
