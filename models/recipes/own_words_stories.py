"""own_words_stories.py - requests told by their circumstances.

The patterns of own_words_patterns.py name what they are about; these tell what
happened and leave it to the reader, in words spread as widely as possible.
Format as there.
"""


def _lines(text):
    return [line.strip() for line in text.strip().split("\n") if line.strip()]


STORIES = {}

STORIES["account"] = _lines("""
    each time i enter my credentials (it|the page) (throws me back to the start|just reloads|says access denied)
    the captcha never lets me through when i sign in
    my old phone was stolen and with it the app that made the codes for signing in
    (my|our) company got a new domain, so all our user names must change
    i typed a wrong pin too often and now everything is blocked
    {who} set this up years ago and nobody knows the secret question
    (please|could you) correct the spelling of my (family name|first name|street) in your records
    my profile picture and my nickname should be different
    you still have my maiden name on record
    which information do you store about me? i want it wiped under gdpr
    someone changed the email on my profile and it was not me
    i see purchases and logins from a device i do not know, please secure my profile
    i deleted the app and now (it|the app) does not let me back in
    the confirmation message for my registration has gone missing, send it once more
    is there a way to stay signed in on two devices
    how does one become a registered user here
    do i need to register before shopping or can i have a guest profile
    i would like to have a business profile rather than a private one
    my teenage son needs his own user
    the link you mailed for choosing a new password has expired
    face id stopped unlocking the app
    i need administrator rights for our team's workspace
    why was i banned
    i opened a profile with the wrong date of birth, now it says i'm a minor
    the one time code comes too late and is no longer valid
    get rid of my user and everything linked to it
    my former assistant left and must no longer have access
    what are the rules for a strong password here? mine is refused each time
    passport scan was rejected during identification
    i am being asked for id, is that really necessary
    how do i log out everywhere at once
    merge my old and new profile please, i registered twice
    credentials not recognised, no mail to set new ones, i am stuck
    the sign in page is blank on my computer
    my handle was taken over by another person
    set a new mobile number for the security codes
""")

STORIES["billing"] = _lines("""
    my statement lists you {money} that i cannot explain
    the sum is off by {money}, please correct it
    you took more out of my bank than we had agreed
    two identical bookings from you turned up at my bank
    i paid once, yet the bank shows it leaving my account double
    our finance department asks for a tax document with the vat id
    the total at the till was not the total on my receipt
    i need something in writing that shows what i paid, for my taxes
    who do i make the cheque out to
    which credit cards work with you
    is it safe to give my card number on your site, and do you take maestro
    could i settle the sum in several smaller payments
    my gift voucher had no effect on what i paid
    the promotion said twenty percent less but i paid full price
    it asks for a card security code and then just refuses
    the bank approved it but you say the payment did not arrive
    i wired the money {span} ago and it's still marked as open
    i got a demand from a collection agency for a bill i settled
    the iban on your bill does not exist
    please use my new visa from now on, the old one is no longer valid
    what's this 2.99 service fee
    why do i pay taxes when i live outside of the country
    i'm being billed in dollars but want euros
    an unauthorised transaction to your company shows up on my statement
    money was taken though i never finished the checkout
    my employer pays it back to me if i have a proper bill, please mail it
    your prices went up on my last bill without notice
    there's a mystery amount on my card with your name on it
    they put the same thing on my card again and again
    can my husband's card be used for this payment
    payment page times out after i type in my card
    i would like a copy of all bills from the last quarter
    the company address on the bill has to be changed
    is there a surcharge when i pay by card
    you deducted {money} before sending anything, is that normal
    my account was debited although the basket was empty
    i was asked to pay (it|the bill) again though i have proof of the transfer
    when is the bill due
    outstanding balance shows {money} but i owe nothing
""")

STORIES["cancellation"] = _lines("""
    my circumstances are different now, so the purchase must be undone
    please act as if i had never ordered
    kindly stop processing what i ordered {when}
    can we forget about the {thing} i ordered
    turns out we already had a {thing} at home, so stop it please
    {who} does not like the {thing}, i'd like the order called off before it goes out
    my finger slipped and i bought it, undo it please
    i ordered in the wrong shop, please kill that order
    what would leaving the contract early cost me
    how steep is the fine for stopping ahead of time
    does it cost something to withdraw
    i'd like to exercise my right of withdrawal
    what's the deadline for withdrawing from a purchase
    nobody told me there is a fee for cancelling
    is cancellation free of charge within the first day
    for health reasons i can't make use of the booking, cancel it
    we won't be coming, please cancel our reservation for {soon}
    it will arrive after the party, so i don't need it, cancel
    please halt order # before it gets packed
    is it too late to pull the order back
    i lost my job and must cancel what i ordered
    i pressed confirm with the wrong items, void everything
    i clicked purchase in error, reverse it
    please nullify the contract
    the duplicate order has to go, just cancel one
    i have decided against the {thing}
    can the order be withdrawn while it is still being prepared
    i want out of the deal
    let me cancel, the site says it's no longer possible
    we've reconsidered and don't wish to go ahead with the purchase
    got a better offer, calling it off
    stop the whole order, none of it is needed
    confirm in writing that the order has been cancelled
    how do cancellations work with you
    my trip is off, so cancel everything i booked
""")

STORIES["contact"] = _lines("""
    who do i ring about this
    i'd like to hear a human voice
    can i talk to whoever is in charge
    no more canned replies please, give me somebody real
    your menu goes round in circles, i just want a person
    please ring me, my number is #
    i prefer the telephone
    how can people without internet reach you
    i need an address for sending documents by post
    is there an email where i can send pictures
    how late is your hotline staffed
    are you open on public holidays
    nobody has picked up the phone for an hour
    i am on hold forever, give me a direct line
    do you have a shop or an office i can walk into
    please forward me to the right department
    which department handles this, and how do i reach them
    i need to speak with the person who handled my case
    i'd like to make an appointment with an adviser
    does your team understand sign language or have a text line
    is there somebody speaking french on your team
    can we do a video call
    i want a conversation with a supervisor
    the number on your website is not in service
    what's the dialling code for calling from overseas
    are you on whatsapp or telegram
    i hate chatting with machines, put somebody on the line
    how fast do you reply to emails
    can you have an expert phone me
    i wish to get through to your staff
    is a person reading this? if so please respond to me personally
    hand me over to one of your people
    i cannot find any way on your page to get hold of you
    let me speak with customer care
""")

STORIES["delivery"] = _lines("""
    it was due {when} and my doorstep is still empty
    the postman brought nothing again
    my neighbours have not seen any package either
    i stayed in all day for nothing, the van never turned up
    i found a card saying they missed me though i was in
    the map shows the van going in circles
    has it left your warehouse
    it says out for delivery since {when}
    my things seem to be stuck somewhere on the way
    customs is holding it, what do i have to do
    will it be here in time for {soon}
    how soon can it be with me
    how many working days until it reaches {city}
    which company brings it, dhl or ups
    is it possible to have it brought in the evening
    i need it really fast, is there a courier service
    what do you ask for postage
    from which amount is postage free
    please have it sent to my office, as nobody is at home in daytime
    i'm on holiday then, could it come a week later
    my house number is missing on the label
    i forgot to put my flat number in the address
    i typed my previous street, the parcel must go elsewhere
    can it be handed to the concierge
    leave it by the back door please
    it went to a locker i can't reach
    the box came open and half of it was missing
    signed for by somebody i don't know
    the status has been the same for {span}
    carrier's page says unknown number
    they sent it back to you because nobody opened, please send again
    it was dropped at the wrong building
    do you ship to islands or army addresses
    can big furniture be carried upstairs
    any idea when my things get here
    i was promised next day and that was {span} ago
    the goods have not come through
    can i fetch it from your depot myself
    i still have empty hands after {span}
    save my parents' place as the address where you send things
    our street is closed for works, how will the driver get to us
""")

STORIES["feedback"] = _lines("""
    i (love|like|enjoyed|admire|appreciate|adore) how (fast|quick|friendly|open|careful|honest|polite) you (were|are|answered|wrote back|dealt with me|helped) (last time|the other day|{when}|)
    it was (nice|great|good|lovely) (of you to answer so fast|how fast i got an answer|to be helped so quickly|that you took the time)
    you (answered|replied|helped|reacted) (so |very |really |)(fast|quickly|slowly|badly|kindly) (last time|{when}|), (i love that|that was great|well done|that was poor|i liked it)
    (i love|i loved|i like|i liked) (the way you (work|help people|answer)|dealing with you|your quick answer|everything about your shop)
    hats off to your team, that was first class
    what a lovely experience, thank you all
    your colleague {name} deserves praise, so patient and kind
    i was treated like dirt by your man at the counter
    never have i been spoken to like that
    i must tell you how angry i am about your conduct
    no apology, no explanation, simply bad manners
    the person on the line laughed and put the phone down
    i wish to put a grievance on record
    your firm has let me down for the last time
    i have an idea how you could make the shop nicer
    could you make the letters larger on the page, my eyes are weak
    an option to sort by price would be handy
    please bring back the old look of the app
    the fitters left a mess in my hall and were cheeky
    thumbs up, smooth from start to finish
    you folks are brilliant
    that was by far the poorest service i've had
    i am telling everyone to stay away from you
    i'd buy from you any time, splendid people
    how may i express my satisfaction
    where do reviews go, i'd like to write one about the {thing}
    is there a place to tell you what i think
    the quality has gone downhill over the years
    the {thing} exceeded what i hoped for
    your chat was super quick and friendly, i'm impressed
    i was very pleased with the way you dealt with it
    the music while waiting is torture
    your shop assistant was a gem
    delighted, simply delighted
    the technician was late, grumpy and left without a word, i am going to complain
    ten out of ten
    what a shambles of a company
    i would like to hand in a complaint about one of your shops
    honest opinion: too complicated, too slow, no heart
    my compliments for the nice wrapping
    you have gone above and beyond for me
    i felt like nobody was listening
    loved it, cheers to everyone involved
    congratulations on your new website, it's easy to use
    i miss a feature: it should remember my choices
""")

STORIES["order"] = _lines("""
    i'd like a {thing} in (red|blue|black|white), how do i go about it
    there's room for one more in my order, add a {thing}
    make it three rather than two
    i meant to choose the larger one, can it be amended
    the shade i took is wrong, i want the darker one before you pack it
    one piece fewer please, all others stay
    a second {thing} should go in the same box
    how does shopping here work
    never bought anything online before, guide me through it
    we are a school and need {thing} for forty pupils
    do you give a price for large quantities
    is there any {thing} left
    your page says sold out, will you get more
    can it be engraved or personalised when i order it
    i'd take two if you have them
    my cart empties itself whenever i want to finish
    pressing the purchase button does nothing
    i can't get past the last step of ordering
    could you take my order over the phone
    was my order recorded? no message came after i finished
    the same again please, as {when}
    i want to buy it for somebody else, can you put in a card
    please exchange the {thing} for the bigger one in what i ordered
    i left out an item, put it into my order
    wrong model chosen, correct it to the newer one please
    my wife would rather have the {thing} in another colour, please amend the order
    i'd like to purchase spare parts for the {thing}
    may i order a sample first
    reserve one for me
    which size should i take
    can you set up the purchase on my behalf
    what do i need for making a purchase
    we'd like to have a hundred of them for our club
    amend the amount in my order from one to four
    i am after a gift for {who}, i'd like to buy a {thing}
    is the {thing} something i can buy from you
    where do i click to get the {thing}
    lets order a {thing}
    substitute the {thing} with another one
    order # should have the small size, not medium
    i've had one of these before and would like another
    the {thing} in the order is not the one i meant, change it to the other type
""")

STORIES["refund"] = _lines("""
    i mailed the {thing} back, where's the cash
    the {thing} fell apart on the first day, i expect to be paid back
    i want every penny back
    it's been {span} since the goods went back and nothing has been credited
    the credit has still not reached my bank
    after you got my return i heard nothing about my money
    when do you hand back the money once a return has reached you
    am i entitled to compensation
    it doesn't work, take it back and give me what it cost
    nothing like the picture, i'm sending it back and expect full repayment
    i don't want a credit note, only cash
    my shop voucher instead of money is not acceptable
    you owe me {money} for the {thing} i returned
    only a fraction was repaid
    how do i send something back
    what are my rights if the goods are faulty, do i get repaid
    up to when may i send back goods
    is the return label free and do i get everything back
    i was assured of repayment, and so far zero
    where has the repayment got to
    my claim for repayment was turned down, why
    the event did not take place, so what about the money for my tickets
    the hotel was filthy, i want to be paid back
    i'd like to give the {thing} back as it is too big, and have the price returned
    you delivered the wrong article, i don't want it, pay me back
    please put the sum back on my card
    will postage be reimbursed as well
    return accepted but no money
    is my money on its way back
    status of reimbursement please
    half of the goods went back, so half of the price should come to me
    what is needed so that i get reimbursed
    does your guarantee cover getting my money back
    i have proof that the return got to you, now do your part and pay
    the glass was shattered, i have photos, please return what i paid
    may opened items go back for the full price
    i am requesting the return of my payment
    give the money back to {who} who paid for it
    the machine died within the warranty, money back please
    i brought it to your store and was told the amount would be put on my card, that was {span} ago
""")

STORIES["subscription"] = _lines("""
    i (don't|do not|no longer) want to (be|stay|remain) (a|your) (member|subscriber) (any more|any longer|)
    (please |)(stop|quit) (taking|charging|debiting|withdrawing) (my money|money from me|{money}) (every|each) (month|year|week)(, i (left|quit|want to leave)|)
    i (left|am leaving|want to leave) (the club|the plan|the programme), so (stop the monthly payments|no more money each month|stop taking money from my card every month)
    my inbox is full of your advertising, make it end
    i do not recall agreeing to these mails
    no more offers in my mailbox please
    i'd enjoy hearing about your news regularly
    add my email to those who get your circular
    your weekly letter has stopped coming
    i'd like your magazine each month
    the opt out page doesn't load
    what tiers are there and what do they cost
    the gold level is too dear for me, i'd take the silver one
    move me up to the next tier
    i am not using it enough, let my membership lapse
    i wish to leave your club
    my year is nearly over and i will not go on
    do not prolong it
    i was put on a yearly plan without knowing
    the trial month is over soon and i won't continue
    what happens after the trial
    can two people use one membership
    we'd like the plan for households
    i'm a student, is there a cheaper plan
    hold my membership over the summer
    i'll be abroad for months, put the plan to sleep
    how long does my plan still run
    why am i no longer premium
    i'd like to become a member
    what are the perks of being a member
    take care that it does not renew by itself
    turn my monthly plan into a yearly one
    i keep paying every month for something i don't use, end the plan
    i quit, no more monthly fees
    please finish my membership at the end of the month
    a newsletter in my own language would be nice, can i change that
    send the newsletter to my private address instead
    fewer mails please, once a month is enough
    is the mailing free and can i leave whenever i like
    restart my plan, i stopped it last year
    extend my plan by twelve months
    give my membership to {who}
    skip the coming box
    remove my address from your marketing
    which of your plans has {thing}
    i have never signed up to this list
""")
