:FORWARD
-m policy --dir in --pol none ; = ; OK
-m policy --dir out --pol ipsec ; = ; OK
-m policy --dir in ; -m policy --dir in --pol ipsec ; OK
-m policy --mode transport --proto esp --spi 10 --reqid 0x10 --dir in ; -m policy --dir in --pol ipsec --reqid 16 --spi 0xa --proto esp --mode transport ; OK
-m policy --dir out --pol ipsec ! --reqid 1 ! --spi 0x2 ! --proto ah ! --mode tunnel ; = ; OK
-m policy --dir out --pol ipsec --strict --proto ah --next --proto 108 ; -m policy --dir out --pol ipsec --strict --proto ah --next --proto ipcomp ; OK
-m policy --dir out --pol ipsec --strict --reqid 1 --next --reqid 2 --next --reqid 3 --next --reqid 4 ; = ; OK
# with none the rest does not show
-m policy --dir in --pol none --reqid 7 ; -m policy --dir in --pol none ; OK
-m policy --dir out --strict --reqid 1 --next --reqid 2 --next --reqid 3 --next --reqid 4 --next --reqid 5 ; ; FAIL
-m policy --dir in --pol none --strict ; ; FAIL
-m policy --dir in --pol none --strict --reqid 1 --next --reqid 2 ; ; FAIL
-m policy --dir in --reqid 1 --next --reqid 2 ; ; FAIL
-m policy --dir in --strict ; ; FAIL
-m policy --dir in --strict --reqid 1 --next ; ; FAIL
-m policy --dir in --reqid 1 --reqid 2 ; ; FAIL
-m policy --dir in --proto tcp ; ; FAIL
-m policy --dir in --mode beet ; ; FAIL
-m policy --dir both ; ; FAIL
-m policy --dir in --dir out ; ; FAIL
-m policy --pol ipsec ; ; FAIL
-m policy --dir in --pol maybe ; ; FAIL
-m policy ! --dir in ; ; FAIL
@4
-m policy --dir out --pol ipsec --mode tunnel --tunnel-src 10.1.1.1/24 --tunnel-dst 10.2.2.2 ; -m policy --dir out --pol ipsec --mode tunnel --tunnel-dst 10.2.2.2 --tunnel-src 10.1.1.1/24 ; OK
-m policy --dir out --pol ipsec --mode tunnel ! --tunnel-src 10.1.1.1/255.0.0.255 ; = ; OK
-m policy --dir out --pol ipsec ! --mode transport --tunnel-src 10.1.1.1 ; = ; OK
-m policy --dir out --tunnel-src 10.1.1.1 ; ; FAIL
-m policy --dir out ! --mode tunnel --tunnel-src 10.1.1.1 ; ; FAIL
-m policy --dir out --mode transport --tunnel-dst 10.1.1.1 ; ; FAIL
@6
-m policy --dir out --pol ipsec --mode tunnel --tunnel-dst fc00::2/7 --tunnel-src fc00::1 ; = ; OK
:INPUT
-m policy --dir out --pol ipsec ; ; FAIL
:OUTPUT
-m policy --dir in --pol ipsec ; ; FAIL
