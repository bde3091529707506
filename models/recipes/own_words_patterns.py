"""own_words_patterns.py - the hand-written patterns behind own_words.py."""


def _lines(text):
    return [line.strip() for line in text.strip().split("\n") if line.strip()]


SLOTS = {
    "thing": _lines("""
        (pair of |) shoes
        sneakers
        phone
        laptop
        book
        (winter |rain |) coat
        dress
        camera
        headset
        table
        office chair
        mattress
        bike
        watch
        necklace
        coffee machine
        (gaming |) console
        set of knives
        carpet
        tent
        backpack
        toy
        keyboard
        monitor
        tv
        speaker
        jeans
        t-shirt
        pan
        fridge
        gift card
        (two |some |a few |) tickets
        cosmetics
        shampoo
        dog food
        plants
        curtains
        tablet
        drill
        glasses
    """),
    "product": _lines("""
        order
        purchase
        item
        article
        product
        {thing}
        {thing}
        things i (ordered|bought)
    """),
    "parcel": _lines("""
        parcel
        package
        order
        shipment
        delivery
        {thing}
        {thing}
        items
        stuff
        box
    """),
    "when": _lines("""
        yesterday
        today
        (last|this) (week|month|monday|tuesday|wednesday|thursday|friday|saturday|sunday)
        (two|three|four|five|ten|a few|a couple of) (days|weeks) ago
        (a|about a) (week|month) ago
        on (monday|tuesday|wednesday|thursday|friday|the 3rd|the 12th|march 5|june 20)
        (earlier|early) (today|this week|this month)
        in (january|february|march|april|may|june|july|august|october|december)
        the other day
        this (morning|afternoon)
        just now
    """),
    "span": _lines("""
        (two|three|four|five|six|ten|several|many) (days|weeks|hours)
        (a|over a|more than a|almost a) (week|month)
        (ages|days|weeks)
        a long time
        (2|3|4|7|10|14) (days|weeks)
    """),
    "soon": _lines("""
        tomorrow
        (monday|tuesday|thursday|saturday)
        the weekend
        next week
        christmas
        (her|his|my) birthday
        the holidays
        the end of the month
    """),
    "money": _lines("""
        (10|15|20|25|30|49|59|80|99|120|250) (dollars|euros|pounds|bucks)
        $(5|9.99|12|19|24.50|35|60|89|150)
        (7|14|22|39|75|110).(00|50|90|99)
        the (whole |full |) amount
    """),
    "name": _lines("""
        anna
        john
        maria garcia
        peter
        mrs smith
        mr (jones|brown|lee)
        sam
        priya
        ahmed
        laura
        tom baker
        chen
        olga
    """),
    "who": _lines("""
        (my|our) (wife|husband|son|daughter|mother|father|boss|sister|friend|neighbor|partner|colleague|kids)
    """),
    "city": _lines("""
        london
        paris
        texas
        berlin
        canada
        spain
        australia
        ireland
        new york
        chicago
        italy
        mumbai
        switzerland
        another country
        abroad
    """),
    "pay": _lines("""
        credit card
        debit card
        card
        paypal
        visa
        mastercard
        bank transfer
        apple pay
        google pay
        gift card
        cash
        direct debit
        check
    """),
    "please": _lines("""
        please
        could you (please|)
        can you (please|)
        would you (please|)
        i (want|need|would like|'d like) you to
        i need help to
        i(| really) (want|need|would like|have) to
        is it possible to
        how (can|do) i
        i am trying to
        help me
        you (have to|must)
    """),
    "howto": _lines("""
        how (can|do|would|should) i
        how (am i able|is one supposed) to
        i (want|need|would like|wish|'m trying) to
        i don't (know|understand|see) how to
        can i
        is it possible to
        is there (a|any) way to
        help me
        tell me how to
        where can i
        what do i have to do to
        i (need|want) (help|some help|assistance) to
    """),
    "find": _lines("""
        (tell|show) me
        i (want|need|would like) to (know|find out)
        do you know
        can you (tell me|check|find out)
        i (don't|do not) know
        i was wondering
        i'm (not sure|curious)
        please (explain|tell me|check)
    """),
    "your": _lines("""
        your (site|website|app|shop|store|page|system)
        the (site|website|app|store|page|portal)
    """),
}

# Nothing in these says which label the request has.
GREETINGS = _lines("""
    (hi|hello|hey|good morning|good afternoon|good evening|good day|greetings) (there|team|everyone|all|support|sir|madam|folks|)
    dear (sir or madam|customer service|support team|team|sir|all)
    hi, (my name is {name}|this is {name}|{name} here|i hope you are well|hope you're having a good day|quick question|i have a question|i need some help)
    hello, i (have|'ve got) a (question|problem|small issue|request)
    excuse me
    (sorry to bother you|i hope you can help me|maybe you can help me|i need your help)
    to whom it may concern
""")

CONTEXT = _lines("""
    i (ordered|bought|purchased|got) (a |an |my |some |) {thing} (from you|at your store|on your website|online|) {when}
    i (ordered|bought) (a |) {thing} for {who} (as a gift|) {when}
    i am writing (about|regarding) (my |) (order|purchase) (number|no|) #
    my (order|customer|reference|account) (number|no|id) is #
    i (have been|'ve been) (a (loyal|regular|happy) |your |a) customer (for (years|ten years|a long time)|since 2015)
    this is (really|very|so|a bit|extremely) (annoying|frustrating|important to me|urgent|strange|confusing|disappointing)
    i am (a bit|very|really|quite) (confused|worried|annoyed|upset|angry|unsure|busy|stressed)
    i (already |have |) (tried|looked) everywhere (on {your}|) and (couldn't find|found|can't find) (anything|nothing|an answer)
    i (wrote|called|asked) (you|about this) {when} (already|but (nobody answered|i got no answer|nothing happened)|)
    this is the (second|third) time (i ask|this happens|i am writing|)
    {who} (told me to write to you|said you could help|has the same problem|told me about your shop)
    i'm (going|travelling|moving) to {city} {when}
    i (live|am) in {city} (now|at the moment|)
    i (have|'ve) (just |) (moved|retired|had a baby|come back from holidays|started a new job|got married)
    i am (not|no longer) (very |so |) (good with computers|young|patient)
    i (checked|looked at) {your} {when}
    i (don't|do not) (understand|know) what (is going on|happened|to do|went wrong)
    something (went wrong|is not right|is strange|happened) {when}
    it('s| is| was) (a gift|a present|for a birthday|for {who}|for work|my first time here)
    i used {your} {when}
    i (paid|have paid) (with|by) {pay}
    i (paid|spent) {money} (for it|on it|)
    i have an account (with you|on {your}|)
    i got an (email|message|sms|letter) from you {when}
    i was (talking|speaking|chatting) (to|with) (one of your (agents|colleagues)|{name}|someone) {when}
    the (weather|traffic|week|month) has been (bad|terrible|crazy|busy)
    i am at work (right now|) and (have little time|can't talk)
    so here is (the thing|my problem|what happened|my question)
    it (started|happened|began) {when}
    maybe (it is my fault|i did something wrong|i missed something)
    i (love|like) your (products|shop|store) (but|and) i have (a question|a problem|one issue)
    everything (was|worked|went) fine (until|before|up to) {when}
    i've been waiting (for {span}|) (and i am losing patience|)
    as you (can see|may know|see in my file), i (shop|buy) here (often|a lot|every month)
    we are a (small |) (company|family|school|team|startup)
    i am (a student|retired|a teacher|a nurse|disabled|new here)
""")

AFTERWARDS = _lines("""
    (this|it) is (urgent|important|really urgent|not so urgent)
    i (would|'d) (really |) appreciate (it|your help|a quick answer|a quick reply)
    i (look|am looking) forward to (your (answer|reply)|hearing from you)
    i (hope|trust) (you can help|this can be solved|this is possible|that is ok)
    what (should|can|do) i do (now|)
    please (help|look into (it|this)|advise|check|reply|let me know|answer (soon|quickly|asap)|fix (it|this))
    (can|could) you (help me (with this|)|look into (it|this)|sort this out|take a look|check (it|this|that)|tell me what to do)
    i (can't|cannot|don't want to) wait (any longer|forever|much longer)
    this is (ridiculous|unacceptable|annoying|not ok|very strange)
    any (help|idea|advice|info) (would be great|is welcome|)
    my number is #
    the (order|reference) (number|) is #
    (thanks|thank you) for your help
    let me know (if you need anything else|if you need more details|what you need from me|)
    i need (this|it) (done|solved|fixed|) (by|before) {soon}
""")

SIGN_OFFS = _lines("""
    (thanks|thank you|thx|cheers|many thanks|thank you very much|thanks a lot|thanks in advance)
    (best|kind|warm|) regards(, {name}|)
    (yours|sincerely|best wishes|all the best|bye|have a nice day)(, {name}|)
    {name}
    sent from my phone
""")

REQUESTS = {}

REQUESTS["account"] = _lines("""
    i (can't|cannot|am not able to|couldn't|am unable to) (log|sign) in (any more|to my (account|profile)|on {your}|since {when}|)
    (i forgot|i lost|i don't remember|i can't remember|i do not know) my (password|pass word|pin|passcode|login|user name|username|login details|security answer)
    (my|the) password (is|does) not (work|accepted|working) (any more|)
    (can't|cannot|could not) log in, the (reset|recovery) (mail|email|link|code) never (comes|arrives|came)
    the (password reset|recovery|verification|activation|confirmation) (email|link|code|sms) (does not|doesn't|never|didn't) (work|arrive|arrived|come|reach me)
    {please} reset my (password|pin|passcode|login)
    {howto} (reset|change|recover|restore) my (password|passcode|pin|login|security question)
    my account (is|was|got|has been) (locked|blocked|suspended|disabled|hacked|deactivated|frozen) (after too many tries|for no reason|{when}|)
    (someone|somebody|a stranger|a hacker) (hacked|broke into|got into|is using|logged into|has access to) my (account|profile)
    i think my account (was|has been|got) (hacked|compromised|stolen)
    {howto} (create|open|make|set up|register) (an|a new|a|another|a second) (account|profile|user account) (for {who}|on {your}|)
    i (want|would like|tried|am trying) to (register|sign up|join) (on|at|with) {your} (but (it fails|i get an error|the form is broken|it does not work)|)
    (the|your) (registration|sign up|signup) (form|page|process) (does not work|fails|shows an error|is broken|keeps failing|hangs|won't let me continue)
    i (get|got|keep getting) an error (when|while) (i register|signing up|registering|logging in|i try to log in|creating my account)
    {please} (delete|close|remove|erase|terminate|deactivate|shut down) my (account|profile|user account|data) (completely|permanently|right away|)
    i (want|would like) (my account|my profile|all my data|my personal data) (deleted|removed|closed|erased)
    {please} (change|update|edit|correct|modify) (my|the) (email|e-mail address|phone number|name|last name|date of birth|personal details|personal information|profile|account details|user name) (on my account|in my profile|in your system|)
    i (have|got) a new (phone number|email|email address|name|mobile number) and (need|want) (it changed|to update it) (in my account|on my profile|)
    my (name|birthday|email|phone number) (is|was) (wrong|misspelled|incorrect|outdated) (in|on) my (account|profile)
    {howto} (switch|change|upgrade|move) to (a|another|a different|the) (account|business account|premium account|pro account|free account|account type|user)
    {howto} (switch|swap) between (my |) (two |) accounts
    i have two accounts and (want|would like) to (merge|join|combine) them
    (i never got|i did not get|where is) the (activation|verification|confirmation) (email|mail|link|code)(| for my new account)
    {your} (says|tells me) (my|that my) (email|username|password|user) (is|was) (wrong|invalid|not found|unknown|already taken|already in use|not recognized)
    (verification|two factor authentication|the login code|2fa|the authenticator) (doesn't|does not|won't) work (on my new phone|for me|)
    i (lost|changed|broke) my phone and (now |) (can't|cannot) (get the code|receive the code|log in|sign in|get into my account)
    why do (i|you) (have to|need to|need me to) verify my identity
    i (can't|could not|am unable to) verify (my identity|my email|my phone number|who i am)
    what (documents|id) do (you|i) need to (verify|prove) my identity
    how do i (find|see|open|get to) my (account|profile) (settings|page|)
    {your} (logs|keeps logging|throws) me out (all the time|every few minutes|again and again)
    i am locked out (of my account|of my profile|)
    i no longer have access to (my old email|the email i registered with|my account|the phone number on my account)
    how do i (add|remove) (a user|another user|{who}) (to|from) my account
    can {who} (use|share|access|have) my account
    my (login|username|user id) (no longer works|does not exist|is gone|was changed without me)
    i want to (use|have) a different (user name|login|email to log in)
    i want to stop using {your}, (close|delete) my (profile|account)
    there is an (issue|error|problem) (with|during) my (registration|login|sign in|sign up)
    my account (disappeared|is gone|does not exist any more|shows the data of someone else)
    {find} how to (edit|update|change) (my profile|my account|the data in my account)
    the (reset|forgot password) (button|page|link) (is broken|does nothing|shows an error|expired)
    {please} (unlock|reactivate|restore|unblock|reopen) my (account|profile|login)
    i'd like to change (who can log in|the owner of the account|the contact person on my account)
    (you|your system) (do|does) not (accept|recognize) my (new |) password
    (can't|unable to|couldn't) (get into|access|open|get in to) my (account|profile|page)
""")

REQUESTS["billing"] = _lines("""
    i was charged twice for the same (order|purchase|item|product)
    i (was|have been|got|was being) (charged|billed|debited) (twice|two times|double|three times|again|a second time) (for (the same|one|a single|my last) (order|purchase|{thing}|item)|)
    my (account|card|{pay}|bank account) (was|has been|got) (debited|charged) (twice|two times|again|double|for {money})
    (there is|i see|i found|i noticed|there's) (a|one|two|an extra|a second|an unknown|a strange|a double|a duplicate) (charge|charges|payment|debit|transaction) (of {money} |)(on my (card|statement|bank statement|account)|)
    you (took|charged|debited|withdrew|deducted) {money} (too much |)(from my (card|account|bank account)|)
    (why|can you explain why|i don't understand why) (was i|did you|have i been) (charged|charge me|billed|charging me) (a fee|extra|more|{money}|so much|an additional fee|for this)
    i don't (recognize|recognise|know|remember) (this|a|one) (payment|charge|transaction|debit) (on my (statement|card)|)
    what is this (charge|fee|payment|amount) (of {money} |)(on my (card|statement|bank statement|bill)|)
    (my|the) payment (failed|was declined|was rejected|does not go through|didn't go through|is stuck|won't go through|got refused) (with {pay}|when i try to pay|at checkout|)
    my {pay} (is|was|keeps being|got) (declined|rejected|refused|not accepted) (at checkout|when i want to pay|)
    {please} (send|resend|email|give) me (the|my|an|a copy of the) (invoice|invoices|receipt|bill) (for|of) (my last order|order #|last month|{when}|my purchase|the {thing}|)
    {howto} (get|download|see|find|check|view|print) (the|my) (invoice|invoices|bill|bills|receipt|billing history|last bill)
    where (is|are|can i find) (the|my) (invoice|invoices|receipt|bills|payment history) (for order #|from {when}|)
    (my|the) (invoice|bill|receipt) (is|was|seems) (wrong|incorrect|missing|too high|not correct|higher than (expected|agreed|usual))
    there is (a mistake|an error|a wrong (amount|address|name|vat number)) (on|in) (my|the) (invoice|bill|receipt)
    (which|what) (payment methods|payment options|cards|ways of paying|kinds of payment) (do you accept|are accepted|are there|can i use|are available)
    (can|could|may) i pay (with|by|using) {pay}
    do you (accept|take|support) {pay}
    can i pay (in installments|later|in cash on delivery|monthly|on invoice|in rates)
    {please} (change|update|replace|remove|add) my (payment method|card details|credit card|bank details|billing address|billing information)
    i have a new (card|credit card|bank account) and (want|need) to (update|change|enter) it
    i (paid|already paid|have already paid) (but|and) (the (order|invoice) (still says|is still) unpaid|you (say|claim) i have not|your system does not show it|i got a reminder)
    i (got|received) a (payment reminder|dunning letter|late fee|second bill) (although|but|even though) i (paid|have paid|paid on time)
    the (money|amount|{money}) (left|was taken from|has gone from) my (account|bank) but (the (payment|order) (failed|was not confirmed)|no order was made)
    the price (i was charged|on the bill|on my invoice) (is|was) (higher|different|more) than (the one (shown|on {your})|advertised|agreed|what i saw)
    my (discount|coupon|promo code|voucher) was not (applied|taken off|used|deducted) (on the bill|when i paid|from the price|)
    i need (an invoice|a receipt|a bill) (with|for) (my company name|vat|tax purposes|my employer|my insurance|the tax office)
    what (fees|charges|taxes) (do i have to pay|are there|are included|do you charge) (for paying by {pay}|for a card payment|)
    (my|the) (payment|transaction) (is|has been) (pending|processing|stuck) (for {span}|)
    when will (i be charged|my card be charged|the money be taken|you debit my account|the payment go through)
    i want to (dispute|contest|report) a (charge|payment|transaction|fee)
    {find} how much i (owe|have to pay) (you|this month|)
    i (have|'ve got) (an issue|a problem|trouble) (with (my|the|a) (payment|payments|bill|invoice|card payment)|paying)
    (you|they) (billed|charged|invoiced) me for (something|a {thing}|things) i (never|didn't) (bought|order|ordered|get)
    (two|2|three) (payments|charges|debits|amounts) (were|have been|got) (taken|made|booked|deducted) (from my (card|account)|) (for|instead of) (one|the same) (order|purchase|{thing}|)
    why is my bill (so high|higher than last month|{money})
    the checkout (page |)(does not|doesn't|won't) (accept|take) my (card|payment|{pay})
    i see the same (charge|amount|payment) (listed |)(twice|two times|double|again) (on my (statement|card|account)|)
    please (check|correct|fix|explain) (my|the) (bill|invoice|charge|last charge|statement)
    i was (overcharged|billed too much|charged the wrong amount|charged the wrong price|charged without my consent)
    my bank (says|shows|tells me) (that |)you (charged|took|debited) (me |)(twice|two times|{money}|the money twice)
    i (have not|never|didn't) (received|get|got) (an|the|my) (invoice|receipt|bill) (for my (order|purchase|{thing})|)
    can you send the (bill|invoice|receipt) to (another|my work) (email|address)
    is (vat|tax) included (in the price|on the invoice)
    i (tried|am trying) to pay (but|and) (it says error|nothing happens|it fails|the page crashes|my card gets declined)
    the (shop|store|site) took (the|my) money twice (for one {thing}|)
""")

REQUESTS["cancellation"] = _lines("""
    {please} cancel (my|the|this|that|an) (order|purchase|{thing} order|order #|last order)
    (i want|i need|i would like|i wish|i have) to cancel (my|the|this|an) (order|purchase|order #|{thing}|reservation|booking|contract)
    {howto} cancel (my|the|an|this) (order|purchase|item|contract|order i (made|placed) {when})
    i (don't|do not|no longer) (want|need) (the|my|that) (order|{thing}|purchase) (any more|any longer|), (please |)(cancel (it|)|stop it|call it off)
    i (changed|have changed) my mind about (the|my) (order|{thing}|purchase)(, please cancel (it|)|)
    i ordered (the wrong (thing|item|{thing})|too much|by mistake|by accident|twice by mistake), (please |can you |)cancel (it|that|the order|one of them)
    can (i|you) (still |) (cancel|stop|call off|revoke) (it|my order|the order|the purchase|what i ordered) (before it ships|today|)
    is it (still possible|too late|possible) to cancel (my order|order #|the {thing}|what i ordered {when})
    (is there|do you charge|what is|how much is) (a|the|any) (cancellation|early termination|cancelation) (fee|charge|penalty|cost)
    {find} (what|how much) (the|your) (cancellation|early termination|withdrawal) (fee|fees|penalty|charges) (is|are|would be)
    do i (have to|need to) pay (anything|a fee|a penalty|something) (if|when) i cancel (my order|early|the contract|)
    what (does it cost|happens|would it cost me|do i pay) (if|when) i (cancel|withdraw|end the contract early|cancel my order)
    how (long|late) can i (still |) cancel (for free|without a fee|my order|)
    (i found it cheaper somewhere else|{who} already bought one|i can't afford it|i don't need it any more), (so please|please|so i'd like to) cancel (the|my) (order|{thing}|purchase)
    the cancel (button|link|option) (is missing|does not work|is not there|is grey) (for my order|)
    i (pressed|clicked|hit) (buy|order|the wrong button) (by mistake|by accident|twice), (i don't want it|please cancel|please stop it|can you undo it)
    (stop|withdraw|annul|revoke|void|undo|abort) (my|the) (order|purchase|order #|contract)
    i want to withdraw from (the|my) (contract|purchase|order)
    (my order|the {thing}) (takes too long|will come too late), (so |)(please |)(cancel it|i want to cancel)
    i (tried|have tried|want) to cancel (my order |)(but|and) (it was not possible|the site would not let me|i see no option)
    why (can't|couldn't) i cancel (my order|order #|the purchase)
    please don't (ship|send) (it|my order|the {thing}), (i want to cancel|i changed my mind|i don't want it any more)
    (has|was|is) my (order|purchase) (been |)(really |)(cancelled|canceled) (yet|as i asked|)
    {find} (whether|if) i (can|could|may) (cancel|call off) (the|my) (order|{thing}|booking|appointment)
    {please} (call off|scrap|drop|forget) (my|the|that) (order|purchase|order for the {thing})
    what is your cancellation policy
    (under what|in which) (conditions|cases) (can i cancel|is cancelling free|do you charge for cancelling)
    (i do not agree with|i don't understand|why is there) the cancellation fee
    i need to cancel (everything|all of it|all my orders|both orders|one of the two orders)
    we no longer need (the|our) (order|{thing}|booking)(, kindly cancel| and want to cancel|)
    i made an order {when} and (i want|i'd like|need) it cancelled (right away|now|please|)
    our plans changed, (please |we must |)cancel (the|our) (order|booking|tickets|reservation|trip)
    ordered the wrong (size|color|model|one), (just |)cancel (it|the whole thing|the order)
    can i back out of (my order|the purchase|the deal|the contract) (without paying|)
    will i (be charged|have to pay) for cancelling (early|now|my order|)
    i regret (my|the) (order|purchase), (how do i undo it|can it be stopped|can i take it back before you send it)
""")

REQUESTS["contact"] = _lines("""
    {please} (talk|speak|chat|get) (to|with) (a|an|some|one of your) (human|person|real person|agent|live agent|representative|advisor|operator|agents|someone)
    i (want|need|would like|'d like|prefer) to (talk|speak) (to|with) (a|an|some|any) (human|person|real person|human agent|agent|representative|operator|manager|supervisor|human being|live person)
    (connect|transfer|put|pass) me (through |over |on |)(to|with) (a|an|your) (human|agent|person|operator|manager|supervisor|specialist|colleague|representative)
    (what is|give me|where can i find|i can't find|tell me|do you have) (your|the|a) (phone number|telephone number|customer service number|hotline|support number|email address|contact details|contact form|support email)
    (how|where) (can|do|could) i (contact|reach|call|phone|email|write to|get in touch with|get hold of) (you|customer service|support|your team|customer support|someone|somebody|an agent|your company)
    (what|when) are (your|the) (opening hours|office hours|working hours|support hours|hours of customer service)
    when (is|are) (customer service|your support|someone|your agents|the hotline) (open|available|reachable|there)
    (at what time|what time|from when) can i call (you|customer service|support)
    (can|could) (someone|somebody|anyone|you) (call|phone|ring) me (back|) (today|tomorrow|this afternoon|on #|please|as soon as possible|)
    i (would like|want|need|request) a (call back|callback|phone call from (you|someone))
    (is|isn't) there (a|any|no) (phone number|number|live chat|hotline|chat|real person|human|email|way to talk to someone)
    is (anybody|anyone|somebody|someone) there (who can help|)
    i don't want to (talk|chat|speak|write) (to|with) a (bot|robot|machine|computer|chatbot)
    (stop the bot|no more bot|no bots), (i want|give me|get me) a (real person|human|live agent)
    (this|the|your) (bot|chatbot|robot|assistant) (is not helping|doesn't understand me|is useless|gives the same answer), (i need|give me|let me talk to) a (human|person|real agent)
    (nobody|no one) (answers|picks up|is answering) the phone, (how else can i reach you|is there another number|how do i get hold of someone)
    i (tried to call|called) (you|the hotline|support) (but|and) (nobody picked up|it was always busy|i was on hold for {span})
    can i (email|call|chat with|visit|write to|meet) (you|someone|your team|support) (directly|in person|)
    (where is|what is the address of) your (office|head office|nearest branch|headquarters)
    do you have (customer service|support|someone|an agent) (in|who speaks) (spanish|german|french|hindi|my language)
    i (need|want) (customer service|customer support|customer assistance|support)(, how do i reach it|)
    {find} how to (contact|reach|get in touch with) (you|customer service|a human|your support|an agent)
    my problem is too complicated for (a chat|a form|an email|the bot), (please call me|i need to speak to someone|i want to talk to a person)
    (let|allow) me (talk|speak|to talk) (to|with) (someone|your boss|a supervisor|whoever is in charge|a real human)
    which (number|email|department) (do i call|should i write to|is the right one|can i use)
    is your (support|customer service|hotline) (open|available) (24/7|on weekends|at night|on sunday|today)
    who (can i|do i|should i) (talk to|speak to|contact|call|ask) (about this|)
    (human|agent|operator|representative|live agent|real person)(| please| now)
    i (have|need) to (reach|call|contact) (customer service|your company|you|an agent|support) (urgently|today|right now|)
    is there a (toll free|free|local|whatsapp) number
    does (anyone|a person) (read|answer) (these|my) (messages|emails)
    i'd rather (talk|speak) (to someone|on the phone|with a person) (than write|)
    please have (someone|an agent|one of your people|a colleague) (get in touch with|contact|call|phone) me
""")

REQUESTS["delivery"] = _lines("""
    where is my {parcel}
    my {parcel} (has not|hasn't|did not|still has not|never) (arrived|come|been delivered|arrive|shown up) (yet|)
    i (have not|haven't|still haven't|never|did not) (received|get|got|receive) my {parcel} (yet|)
    i'm (still |) waiting for my {parcel}(, it should have been here (by now|{when}|days ago)|)
    my {parcel} (is|was|has been) (late|delayed|overdue|lost|stuck (in customs|at the depot|in {city}))
    (when|what day) will (my|the) {parcel} (arrive|come|be delivered|get here|be shipped|reach me)
    (how long|how many days) (does|will|would) (delivery|shipping|the delivery|it|my {parcel}) take (to arrive|to {city}|)
    (the|my) tracking (number|code|link|page|info) (does not work|doesn't work|shows nothing|has not changed for {span}|is invalid|says delivered|has not been updated)
    the tracking (says|shows) (delivered|it was delivered|it arrived {when}) but (i (don't have it|got nothing|never received it)|nothing (is here|came))
    {howto} track my {parcel}
    {please} track (my|the) {parcel}
    what is the (status|current status|location) of my {parcel}
    {please} (change|update|correct|edit) (the|my) (shipping|delivery) address (for order #|of my order|)
    {please} (deliver|send|ship) (it|my {parcel}) to (another|a different|my work|my new|{who}'s) address
    i (entered|gave|typed|put in) the wrong (shipping address|delivery address|street|house number|zip code|address) (for my {parcel}|)
    i (have |)moved, (please |can you |)(send|ship|deliver) my {parcel} to my new (address|home|place)
    i won't be (home|there|in town) (on the day of delivery|{when}|when it arrives), can (you|they) (deliver later|come another day|leave it with a neighbor|bring it on {soon})
    {howto} (add|set up|save|enter|create) a (new|second|) (shipping|delivery) address
    (what|which) (delivery|shipping) (options|methods|choices|companies|services) (do you (have|offer)|are available|are there|can i choose)
    do you (ship|deliver|send) to {city}
    (do you offer|is there|how much is|can i get) (express|overnight|same day|next day|free|faster|standard) (delivery|shipping)
    how much (is|does|are) (shipping|delivery|the delivery|shipping costs) (to {city}|cost|for the {thing}|)
    the (courier|driver|delivery man|delivery company|mailman|carrier) (did not ring|never came|left it in the rain|threw it over the fence|went to the wrong house|gave it to somebody else|didn't find us|just left)
    my {parcel} was (left|delivered) (at|to|with) (the wrong (address|house|door)|a neighbor|someone else)
    my {parcel} (was|must have been|got) (stolen from my porch|lost in the mail|lost on the way)
    only (half|a part|one|two) of (my order|the things i ordered|the items|the boxes) (arrived|came|was delivered|were in the package)
    i need (my|the) {parcel} (by|before) {soon}(, will it (arrive|come) in time|, when will it come|)
    has my {parcel} (been |)(shipped|sent|left|dispatched) (yet|already|)
    why (is|has) my {parcel} (taking so long|not (been |)shipped|not here|not moving|late|still in transit)
    can i (pick up|collect) my {parcel} (myself|at the store|somewhere|at a pickup point|at the post office)
    can you (speed up|hurry) (the|my) (delivery|shipping) (a bit|)
    can i (choose|change|pick|reschedule) the (delivery (date|day|time)|time of delivery)
    {find} (when|what time) (the|my) {parcel} (will be|is being|gets) (delivered|brought|here)
    (nothing|no parcel|no package) (has arrived|came|arrived) (yet|so far|although it was promised for {when})
    it (was supposed to|should) (arrive|come|be here|have been here) {when} (and|but) (i have nothing|it's not here|nothing came|there is no sign of it)
    it has been {span} and (my {parcel} is still not here|nothing came|the parcel is not here)
    the estimated delivery date (has passed|was {when}|keeps changing|changed again)
    (tell|show) me (the|) (delivery period|shipping time|estimated arrival) (for {city}|of my order|)
    the (package|parcel|shipment) is (sitting|stuck|still) (at|in) the (warehouse|depot|post office|customs office) (for {span}|)
    can the (courier|driver) (leave it|put it|drop it) (at the door|in the garage|with a neighbor|at reception)
    where does (it|my {parcel}|the package) (ship from|come from)
    who (delivers|is the carrier|brings) (my {parcel}|the package|)
    (any|is there any) (news|update|information) (on|about|regarding) my {parcel}
    the delivery person (says|claims) (i was not home|nobody was home|he rang), (that's not true|i was here all day)
    i've been waiting {span} for (my {parcel}|it to arrive|the courier), (where is it|when will it come)
""")

REQUESTS["feedback"] = _lines("""
    i (want|need|would like|wish) to (make|file|lodge|submit|raise) (a|an official|a formal) (complaint|claim|reclamation) (about|against|regarding) (your (service|company|staff|agent|driver)|the way i was treated|one of your employees|)
    {howto} (complain|make a complaint|file a complaint|submit a complaint|lodge a reclamation) (about (your service|an employee|a bad experience)|)
    {howto} (leave|write|post|submit|give|send) (a|some|my) (review|feedback|opinion|rating|comment|compliment) (about (your service|your company|the {thing}|a product|my experience)|)
    (your|the) (service|support|customer service|staff|agent|team) (is|was) (great|excellent|amazing|fantastic|wonderful|very kind|very helpful|outstanding|super friendly)
    (your|the) (service|support|customer service|staff|agent) (is|was) (terrible|awful|horrible|a joke|the worst|very rude|unfriendly|a disgrace|really bad|poor)
    i (love|really like|am very happy with|am impressed by|adore) (your (shop|app|service|website|products|company|team)|how (quickly|fast|kindly|well) you (helped|replied|answered|reacted|solved it)( me|) (the last time|last week|{when}|))
    i (hate|am disappointed (by|with)|am unhappy with|am not satisfied with|dislike) (your (service|app|website|company|attitude|staff)|the (new version|new design|quality of your service|way you treat customers))
    (one of your (agents|employees|colleagues)|{name} from your team|the lady on the phone|the person i spoke to) was (so |very |really |extremely |)(rude|impolite|helpful|kind|friendly|patient|unprofessional|arrogant) (to me|)
    (thank you|thanks) (so much |)for (the great service|being so kind|helping me so fast|such good support|the quick help), (you are the best|you made my day|keep it up|i really appreciated it)
    (just |i just |)want(ed|) to (say|tell you) (thank you|how happy i am|that you are great|that the service was good|what a great team you are|well done)
    (worst|best) (company|shop|service|experience|customer service|store) (ever|i have ever (seen|had)|of my life|in years)
    i will (never|not) (buy|order|shop) (here|from you|with you) again(, what a bad company|, so disappointed|)
    i will (recommend|tell) (you to everyone|all my friends about you|your shop to my family)
    i am (so |very |extremely |) (happy|pleased|satisfied|delighted|impressed) with (the {thing}|your service|my purchase|everything|your work)
    (the {thing}|it) is (great|perfect|beautiful|better than expected|exactly what i wanted), (thank you|well done|great job|i love it)
    the quality of (the|your) (products|{thing}|service) (has become worse|is disappointing|is great|went down|is better than ever)
    (i have|here is) (a suggestion|an idea|a proposal|some feedback|a comment) (for you|for your (site|app|team)|to make your (site|app|service) better|)
    (it would be|it'd be) (nice|great|helpful|good) (if|to have) (your app had|you offered|the site had|you added) (a dark mode|more colors|a bigger font|a chat|more languages|filters)
    you should (improve|fix|redesign|simplify) (your website|the app|the menu|your search|the way you talk to customers)
    your (website|app|site|page) is (slow|ugly|confusing|hard to use|beautiful|easy to use|so well made|a mess)
    i (give|would give|rate) (you|your service|it|the support) (five|one|zero|ten out of ten|three|5|1) stars
    (great|good|excellent|amazing|bad|poor|terrible) (job|work|service|experience|support)(, guys|, really|)
    (i feel|i felt) (ignored|cheated|not taken seriously|well looked after|treated like garbage|really welcome) (by your (staff|company|team)|)
    where can i (rate|review|comment on) (your service|the {thing}|my experience|the agent|your company)
    can i (give|leave|send) (you |)(some |my |)(feedback|praise|a compliment|my opinion|an opinion) (about|on) (the service|your staff|{name}|the new app|your store)
    please (tell|thank) ({name}|your team|the driver|the lady from support) (how happy i am|that they did a great job|for me|for their patience)
    i'm (fed up|done|so tired|sick and tired) (with|of) (your company|your service|this company|being treated like this)
    your (staff|employees|people) should (learn some manners|be trained better|get a raise|be proud)
    (nobody|no one) in your company (cares|listens|takes responsibility|knows what they are doing)
    (i was|we were) (treated|served) (badly|very well|rudely|like a king|without respect) (at your store|on the phone|by {name}|)
    i expected (more|better) from (you|a company like yours|such a well known shop)
    it was a (pleasure|nightmare|great experience|horrible experience) (to deal with you|dealing with your team|shopping here|)
    the (hold music|waiting time|attitude|tone) (on your hotline|of your agent|of your emails|at your store) (is|was) (awful|unbearable|a disgrace|unacceptable)
    keep up the good work
    (shame on you|what a disappointment|what a wonderful team|you guys rock|you are amazing)
    i want to (share|express|report) my (opinion|experience|satisfaction|dissatisfaction|anger|thoughts) (about|with) (your service|your company|the shop)
    is there a (survey|form|page) (to rate you|for complaints|for feedback|for suggestions)
    your agent (hung up on me|yelled at me|laughed at me|did not listen|solved it in two minutes), (i want to complain|that is not ok|great job|i am shocked|what a star)
    the (new |)(update|version|layout) of (your app|the site) is (terrible|worse than before|fantastic|so much better)
""")

REQUESTS["order"] = _lines("""
    {howto} (place|make|submit) (an|a new|my|another|my first) order
    i (want|would like|'d like|wish|am looking|need) to (buy|order|purchase|get) (a|an|some|two|three|ten|one more|this|another) {thing}(| for {who}| on {your})
    {please} (buy|order|purchase) (a|some|two|this|one of your|another) {thing}
    {please} (add|include) (another|a|one more|two more|some) (item|{thing}|product|thing) to my (order|basket|existing order|order #|cart)
    {please} (remove|take out|delete|drop) (one|an|the|some) (item|{thing}|product) (from|of) my (order|basket|order #), (keep the rest|but leave the others|i still want the rest|)
    {please} (change|modify|edit|adjust|update|alter|correct) (my|the|an) (order|purchase|order #|items in my order|contents of my order)
    i (need|want|would like) to (change|switch|swap|exchange) the (size|color|colour|model|quantity|item) (in|of) my order (before it ships|)
    i (ordered|chose|picked|selected) the wrong (size|color|model|quantity|variant), can (i|you) (change|correct|fix|swap) it
    (can|could) i (still |) (change|modify|add something to|edit|swap something in) (my order|order #|what i ordered {when})
    i (forgot|would like|want) to (add|include|order) (something|a {thing}|the {thing}|one item) (to|with|in) my (order|last order)
    (can|could) you (swap|replace|exchange) the {thing} (for|with) (a|the|another) (bigger one|smaller one|blue one|black one|{thing}) in my order
    i want (two|three|five|more|less) (instead of|not) (one|two|four|ten) (in my order|of the {thing}|)
    is (the|this|your) {thing} (in stock|available|sold out|still available|on sale)
    do you (have|sell|carry|stock) (a|any|the|this) {thing} (in (blue|black|red|size 38|xl)|)
    when will the {thing} be (back in stock|available again|in stock)
    (i can't|it won't let me|i am not able to|the site won't let me) (place|complete|finish|submit) (my|the|an) order
    (the|my) (cart|basket|shopping cart) (is empty|does not work|is stuck|shows nothing|lost my items)
    the (order|buy|checkout) button (does not work|is broken|does nothing|is missing)(, how can i order|, i want to buy a {thing}|)
    can i (order|buy|purchase) (by phone|by email|in bulk|without an account|from {city}|as a gift|more than ten)
    we (need|want|would like) to (order|buy|purchase) (20|50|100|a large number of) {thing} (for our (office|school|company)|)
    i (want|would like) (to order|to buy|to get) the same (thing|{thing}|items) (again|as last time|that i got last year|once more)
    {howto} (reorder|repeat|buy again) (my last order|the {thing}|what i bought before)
    (did|has) my order (go through|been placed|been received|been accepted), i (got|have) no confirmation
    i (didn't|did not|never) (get|receive) (an|the|any) order confirmation
    {find} how to (buy|order|purchase) (something|a {thing}|things) (on {your}|from you|)
    which {thing} (would you recommend|should i buy|is best for {who}|fits me)
    can you (help|assist) me (with (placing|making|changing|editing) (my|an) order|to (order|buy) (something|a {thing}))
    {who} (wants|would like|needs) to (order|buy|purchase) (a|some|one of your) {thing}
    i am (interested in buying|looking to buy|thinking of buying|ready to order) (a|some|your) {thing}
    put (a|one|another|two) {thing} (in|on) my (order|cart|basket|next order)
    (make|place) (an order|the order|a new order) for (me|a {thing}|two {thing}|the {thing})
    there (is|was) (a mistake|an error) in (my|the) order i (made|placed) {when}, (i need to correct it|please change it|can i edit it)
    (please |)(reserve|set aside|hold) (a|one|the) {thing} (for me|)
    i want to (preorder|pre-order) the (new |){thing}
    (instead of|rather than) the {thing} i (want|would like|would prefer) (the other one|a {thing}|the larger one) (in my order|)
    can i get (a|one|this) {thing} (with my name on it|gift wrapped|made to measure|in a different color)
    what (do you|can i) (sell|buy here|order from you|offer)
    (change|update|increase|reduce) the (quantity|number of items|amount) (of|in) (my order|the {thing} i ordered|order #)
    i need (a|some|a new) {thing}, (how do i order|can i order (it|one) here|where do i buy it)
    leave (everything else|the rest) as (it is|ordered), just (change|swap) the {thing}
""")

REQUESTS["refund"] = _lines("""
    i (want|need|would like|demand|'d like|request|am asking for) (a|my|the|a full|a partial) (refund|money back|reimbursement|repayment) (for (my order|the {thing}|order #)|of {money}|)
    {please} (refund|reimburse|repay|pay back) (me|my money|{money}|my order|the {thing}|the amount)
    {howto} (get|request|ask for|claim|receive|obtain) (a|my|the) (refund|money back|reimbursement|compensation) (for (my order|the {thing})|)
    (where is|when will i (get|receive|see)|i am (still |)waiting for) my (refund|money back|reimbursement)
    (i have|i still have|i've) not (received|got|gotten|seen) (my|the) (refund|money back|reimbursement) (yet|for the {thing}|)
    it has been {span} and (my refund (is not here|has not come|is still pending)|i still don't have my money back)
    i (returned|sent back|gave back) (the|my) {thing} (and|but) (i have no refund|i got no money|haven't been refunded|want my money back|my money is not back|i'm still waiting for the money)
    what is (your|the) (refund|return|money back|returns) (policy|period|guarantee)
    {find} (what|how) your (refund|return|money back) (policy|guarantee) (is|works|says)
    how long (does|do) (a refund|refunds|the refund|it) take (to (show up|arrive|be processed|reach my account)|)
    what is the status of my (refund|reimbursement|return)
    {howto} (check|track|see) (the status of |)my (refund|reimbursement|refund request)
    (the|my) {thing} (arrived|came|is) (broken|damaged|defective|cracked|used|too small|not as described|faulty), (i want|give me|please give me|i'd like) (my money back|a refund|to be refunded)
    (give|send|pay) me (back |)my money(| back| back now)
    i (am|'m) (not happy|not satisfied|disappointed|unhappy) with (the {thing}|my purchase|the product|it) and (want|would like|demand) (a refund|my money back|to send it back)
    {howto} (return|send back|give back) (the|my|a) {thing} (and get (my money|a refund)|for a refund|)
    can i (return|send back|bring back) (the|my|an) ({thing}|item|product) (and get my money back|for a refund|if it does not fit|)
    (am i|are we) (eligible|entitled) (for|to) (a refund|get a refund|money back)
    under what conditions (can i|do you) (get a refund|refund|give money back|ask for my money back)
    my (refund|reimbursement) (is|was) (too low|wrong|incomplete|not the full amount|less than i paid|rejected|denied)
    you (refunded|paid back|sent back) only (half|part|{money}|some) (of my money|of it|)
    you (promised|said|confirmed) (a refund|my refund|i would get my money back) {when} (but|and) (nothing came|it is not on my (card|account)|i don't see it|i got nothing)
    the (money|refund) (is not|hasn't come|has not been paid|isn't|was not credited) (back |)(on|to|in) my (account|card|bank account)
    (the {thing}|it) (never arrived|stopped working|doesn't fit|was the wrong one), (so |)(i want|please give me|i expect|i would like) (my money back|a refund|a full refund)
    (i cancelled|after i cancelled|you cancelled) my order (and|but) (the money (was not returned|is not back)|i want my refund|i haven't got my money back)
    will i (get|receive) (a refund|my money back|all my money back|the shipping costs back) (if i return it|if it breaks|when i send it back|)
    how (much|many percent) (will|would|do) i get back (if i return (it|the {thing})|)
    i don't want (a replacement|a voucher|another one|store credit), i want (my money|my money back|a refund|to be reimbursed)
    (please |)(credit|transfer|return) (the money|the amount|{money}) (back |)to my (card|account|bank account|paypal)
    how many days do i have to (return (it|the {thing}|something)|send it back|ask for a refund)
    i (want|demand) compensation for (the broken {thing}|the damage|my loss|the delay|the {thing} that never came)
    (process|approve|check|issue) my (refund|refund request|return|reimbursement) (please|now|as soon as possible|)
    can (you|i) (confirm|check) (that |)my refund (was sent|has been processed|is on the way|went through)
    (my bank|the bank) (says|told me) (there is no refund|no money came back|you never sent the refund)
    i was told (that |)(i'd|i would) (be refunded|get it refunded|get my money back) (within {span}|{when}|)
    i (got|received) the wrong {thing} and (want|would like) (to return it|my money back|a refund)
    (it's|this is) not what i (paid for|ordered), (i want my money back|refund me|how do i get my money back)
    get (my|our) money (back|returned) (for the {thing}|)
    do you (refund|give back|pay back) (shipping|postage|shipping costs|the full price|sale items) (too|)
""")

REQUESTS["subscription"] = _lines("""
    {howto} (subscribe|sign up|register) (to|for) (your|the) (newsletter|mailing list|magazine|weekly email|monthly newsletter|corporate newsletter)
    {please} (subscribe|sign|put) me (up |)(to|for|on) (your|the) (newsletter|mailing list|news|email list)
    {please} (unsubscribe|remove|take|delete) me (from|off) (your|the) (newsletter|mailing list|email list|list|advertising emails|weekly emails)
    {howto} (unsubscribe|opt out|get off|sign off) (from|of) (your|the) (newsletter|mailing list|emails|ads|promotional emails|mailings)
    (stop|please stop|i want you to stop) (sending|mailing) me (the|your|these|all those) (newsletter|newsletters|ads|emails|promotions|marketing mails|offers)
    i (get|receive|keep getting|keep receiving) (too many|so many|your) (newsletters|promotional emails|marketing emails|ads) (although i unsubscribed|and never asked for them|every day|)
    i (want|would like|'d like) to (receive|get|read) (your|the) (newsletter|news|updates|weekly news|offers by email)
    i (don't|do not|no longer) (want|wish) to (get|receive|read) (your|the|any) (newsletter|newsletters|mailings|marketing emails|advertising)
    the unsubscribe (link|button) (does not work|is broken|does nothing|is missing)
    i (didn't|haven't|no longer) (get|received|receive|got) (the|your|this month's) newsletter (any more|this month|)
    (how often|when) (do you send|comes|is) the newsletter (sent|)
    {please} (cancel|end|stop|terminate|quit) my (subscription|membership|monthly plan|yearly plan|premium plan|trial|free trial|premium membership)
    i (want|would like|need|have) to (cancel|end|stop|quit|terminate) (my|the|our) (subscription|membership|plan|premium|monthly subscription|trial)
    i no longer (want|wish|need) to be (a member|subscribed|a subscriber|on your plan)
    i (want|would like) to (leave|quit|get out of) (the club|the program|your membership|the plan|the subscription)
    {please} (upgrade|downgrade|change|switch) (me |my (plan|subscription|membership) |)to (the |a |)(premium|basic|cheaper|family|student|annual|monthly|pro|free) (plan|subscription|membership|version)
    {howto} (upgrade|downgrade|change|switch|manage|pause|renew|extend) my (plan|subscription|membership)
    (how much|what) (is|does|are) (the|your) (premium|monthly|yearly|family|student) (plan|subscription|membership|plans) (cost|include|a month|a year|)
    (which|what) (plans|subscriptions|memberships|subscription options) (do you (have|offer)|are there|can i choose)
    what (is|'s) (included in|the difference between) (the premium (plan|membership)|the plans|the basic and the premium plan|my subscription)
    {please} (pause|freeze|suspend|put on hold) my (subscription|membership|plan) (for {span}|while i am away|until {soon}|)
    my (subscription|membership|plan|trial) (was renewed|renewed automatically|was extended|got renewed) (without asking me|although i cancelled it|{when}|against my will)
    {howto} (turn off|disable|stop|switch off) (the |)(auto renewal|automatic renewal|auto-renew|renewal)
    when (does|will) my (subscription|membership|plan|trial|free trial) (end|expire|renew|run out|start)
    my (subscription|membership|premium) (is not active|expired|has expired|does not work|was stopped|is gone) (although i renewed it|)
    i want to (renew|extend|restart|reactivate|start|take out|buy) (my|a) (subscription|membership|premium membership|yearly plan)
    (can|could) i (share|gift|transfer|give) my (subscription|membership|plan) (with|to) {who}
    (is|do you have) (there |)(a |)(student|family|free|trial|senior) (discount|subscription|plan|membership|version) (available|)
    i (started|signed up for|took) (a|the) free trial and (want to (stop|end) it (before i am charged|)|do not want to continue|want to keep it)
    i don't (use|need) my (subscription|membership|premium plan) any more(, please end it|, how do i stop it|)
    (stop|end) (my monthly|the monthly|the recurring|my yearly) (payments|subscription|charges|fee|plan), i (don't want to be a member|quit|am leaving|want out|don't use it)
    (please |)(don't|do not) renew my (subscription|membership|plan) (next year|next month|when it ends|)
    i unsubscribed {when} (but|and) (i still get|you still send me) (emails|the newsletter|your ads)
    can i change the (email address|language|frequency) (of|for) (the|my) (newsletter|subscription to the newsletter)
    how (can|do) i become a (member|subscriber|premium member)
    {find} (if|whether) (my|the) (subscription|membership|plan) (is (active|cancelled|still running)|was renewed|includes {thing})
    (keep me informed|inform me|send me updates) about (your news|new offers|your products) by (email|mail)
    i want (out of|no more of) (this|your|my) (membership|subscription|newsletter|mailing list)
    my (monthly|weekly) (box|magazine|subscription box|issue) (should be paused|should stop|i want to skip this month|has to be changed to another plan)
    you (keep|are) (charging|billing) me (every month|monthly) for a (membership|subscription|plan) i (don't want|never use|want to stop|cancelled)
    is (the|your) newsletter free
    (skip|pause) (next month|this month|my next box) (of my subscription|please|)
""")

# Small talk, questions and statements that no support team can route.
REQUESTS["other"] = _lines("""
    what is the (capital|population|currency|largest city|area) of (france|japan|brazil|india|kenya|norway|peru)
    who (wrote|painted|invented|discovered|directed|composed) (the mona lisa|hamlet|the telephone|penicillin|the titanic movie|the ninth symphony|don quixote)
    (how|what) is the weather (today|tomorrow|in {city}|)
    will it (rain|snow|be sunny) (today|tomorrow|in {city}|on the weekend)
    tell me a (joke|story|fun fact|riddle|poem) (about (cats|space|history|dogs)|)
    (hi|hello|hey|yo|good morning|good night|good evening|how are you|what's up|nice to meet you)
    (ok|okay|yes|no|sure|maybe|fine|cool|lol|haha|hmm|thanks|bye|test|testing|nothing|never mind|idk)
    (asdf|qwerty|asdfgh|xxx|aaa|blah blah|foo bar|test test|abc|jkl|zzz|hjkl fdsa|sdfsdf|dfgdfg|uiop|wert|lkjh)
    (what|how) do you (think about (politics|love|music|football)|make (pasta|bread|pancakes|a pizza)|say (hello|thank you) in (french|spanish|german|japanese))
    how (old|tall|far|big|heavy) is (the moon|the eiffel tower|the sun|an elephant|the queen|the mount everest)
    who won the (world cup|election|match|race|oscar) (in (1998|2010|2014|2020)|last night|)
    (the|a) (government|president|minister|mayor) (announced|said|promised|denied) (on (monday|tuesday|friday) |)(new (taxes|laws|elections|plans)|that the economy is growing|a reform of the schools)
    the (team|club|player) (won|lost|played) (the match|against (spain|chelsea|the lakers)|in the final) {when}
    scientists (found|discovered|say|believe) (a new planet|that coffee is healthy|water on mars|a way to store energy|an ancient city)
    i (went|walked|drove) to (the park|the beach|the cinema|school|a concert|the mountains|a restaurant) (with {who}|) {when}
    {who} (is|was) (sick|sleeping|cooking dinner|playing outside|at school|on holiday|watching tv) {when}
    my (dog|cat|garden|neighbor|grandmother|teacher) is (so funny|getting old|very beautiful|sleeping|tired)
    i feel (happy|sad|tired|lonely|great|bored) (today|)
    what (is|are) (love|gravity|the meaning of life|black holes|photosynthesis|an atom|democracy|prime numbers)
    how many (days|people|countries|planets|bones|states|calories) are (there |)in (a year|china|europe|the solar system|the human body|an apple)
    (can|could) you (recommend|suggest) (a|a good) (movie|restaurant|recipe|song|hotel|place to visit) (in {city}|)
    what time is it (in {city}|)
    (play|turn on|turn off|turn up|stop) (some music|the lights|the radio|the tv|the heating)
    (set|cancel|change) (an alarm|my alarm|a timer|a reminder) for (six|seven|ten|noon) (am|pm|)
    translate (this|water|good morning|my name) (in|in)to (french|spanish|chinese|english)
    what (should|can) i (cook|eat|wear|read|watch|do) (today|tonight|for dinner|on sunday)
    (are|r) you a (robot|human|bot|machine|real person)
    what is your (name|age|favorite color|hobby|favorite food)
    what is (2 plus 2|five times seven|10 divided by 4|the square root of 81|20 percent of 50)
    (the|an old) (river|church|village|castle|bridge|road) (is|was) (located|built|destroyed|found) (in|near) (the north|{city}|the 12th century|1870|the valley)
    (he|she|they) (was|were) born in (1820|1955|{city}|a small village) and (studied|worked|lived|died) (in|near) {city}
    (book|find|reserve) (me |)(a flight|a table|a hotel|a taxi|a doctor) (to|in|near) {city}
    (why|how) (do|does|did) (birds fly|the sky look blue|cats purr|dinosaurs die|volcanoes erupt|planes stay in the air)
    (lorem ipsum dolor sit amet|the quick brown fox jumps over the lazy dog|to be or not to be|once upon a time there was a king)
    (see you|let's meet|i'll call you|i miss you|where are you|i am running late|are you coming) (tonight|tomorrow|later|at eight|)
    (congratulations you won|win|claim) (a prize|a free holiday|1000 pounds|an iphone), (call now|text win to #|click here)
    (apples|bananas|bread|milk|rice|eggs), (butter|sugar|salt|tea|cheese) and (flour|oil|honey)
    (how|where) do i (learn (piano|spanish|programming)|find a job|lose weight|sleep better|fix a flat tire|plant tomatoes)
    which (planet|animal|country|language|mountain) is the (biggest|fastest|oldest|smallest|highest)
    # # #
    #
    (x|y|k|m|q)(w|z|j|t|p)(a|o|x|r|d)(f|g|h|k|b)(| s| dd| yy)
""")
