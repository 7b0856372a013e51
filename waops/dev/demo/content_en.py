"""What customers and the AI say in English."""

from __future__ import annotations

from waops.dev.demo.content import Exchange, Voice

OPENINGS = (
    Exchange(
        "general",
        ("Hi", "Hello, good evening 👋", "Hi there, is this {business}?", "hey", "Good morning"),
        (
            "Hello {name}! 👋 Welcome to {business}. How can I help you today?",
            "Hi, thank you for contacting {business}. What can I do for you?",
        ),
    ),
)

EXCHANGES = (
    Exchange(
        "sales",
        (
            "How much is the {product}?",
            "Hi, what's the price of {product} and do you deliver to {city}?",
            "saw your ad for {product}, is it still available? how much 🙂",
        ),
        (
            "The {product} is {price}, VAT included. Delivery to {city} takes 2–3 working days. Shall I place an "
            "order?",
            "It is available ✅ Price: {price}. You can pay by card or cash on delivery.",
        ),
    ),
    Exchange(
        "sales",
        (
            "What's the difference between {product} and {other_product}?",
            "Which one do you recommend, {product} or {other_product}?",
        ),
        (
            "Both are popular. {product} suits everyday use; {other_product} is the better choice if you need it to "
            "last longer. I can send you pictures of both 📷",
            "Most of our customers choose {product} ({price}). Tell me what you need it for and I'll be more precise.",
        ),
    ),
    Exchange(
        "sales",
        (
            "Any discount if I take two?",
            "Is there an offer on {product} this week?",
            "your competitor sells it cheaper, can you match?",
        ),
        (
            "Yes! 10% off when you buy two. The code is SAVE10, valid until {day}.",
            "The current price, {price}, already includes this month's offer. From two pieces up, shipping is free 🚚",
        ),
    ),
    Exchange(
        "customer-support",
        (
            "Where is my order {order}?",
            "Order {order} was supposed to arrive on {day}. Still nothing 😕",
            "can you track {order} please",
        ),
        (
            "Order {order} left our warehouse and is with the courier. Expected delivery: {day}, before {hour}.",
            "I'm sorry for the delay, {name}. Order {order} is in {city} now; the driver will call you on {phone}.",
        ),
    ),
    Exchange(
        "customer-support",
        (
            "I received the wrong item, I ordered {product} and got {other_product}",
            "The {product} arrived damaged, the box was open 😡",
            "I want to return order {order}",
        ),
        (
            "I'm really sorry about that. You can return it within 14 days. Please send a photo of the item and "
            "of the label on the box.",
            "We'll replace it at no cost. A courier can collect it on {day} around {hour}. Is {city} still your "
            "address?",
        ),
    ),
    Exchange(
        "billing",
        (
            "I was charged twice for {order}",
            "Refund for {order} still not in my account, it's been a week",
        ),
        (
            "I see it, {name}: {price} is on its way back to you. The bank releases it within 5–7 working days.",
            "The refund for {order} was sent yesterday; banks take 5–7 working days to show it.",
        ),
    ),
    Exchange(
        "billing",
        ("Can I get an invoice for order {order}? I need it for my company", "invoice for {order} as PDF please"),
        ("Of course. The tax invoice for {order} ({price}) is in your inbox. Please check the spam folder too.",),
    ),
    Exchange(
        "billing",
        ("Do you accept Apple Pay or tabby?", "Can I pay in installments?", "what payment methods do you have"),
        (
            "We accept Visa, Mastercard, Apple Pay and cash on delivery. {price} can also be split in 4 payments "
            "with tabby, interest-free.",
        ),
    ),
    Exchange(
        "technical",
        ("The app shows error 403 when I log in", "Your website does not open the payment page"),
        (
            "Please update the app to version 4.2.1, then try again. If the error stays, send me a screenshot.",
            "Our technical team is on it. Could you try again from Chrome in 15 minutes? 🛠️",
        ),
    ),
    Exchange(
        "technical",
        ("I'm not getting the OTP code on {phone}", "no code arrived"),
        ("The code is sent by SMS to {phone}. If it has not arrived after two minutes, press “Resend”.",),
    ),
    Exchange(
        "general",
        ("What time do you open on {day}?", "Are you open now?"),
        ("We are open every day from 10:00 to 22:00, Fridays from 14:00 🕙",),
    ),
    Exchange(
        "general",
        ("Where are you located?", "Do you have a branch in {city}?"),
        ("Our {city} branch is next to the main mall 📍 open every day from 10:00 to 22:00.",),
    ),
    Exchange(
        "customer-support",
        (
            "I'd like to book for {day} at {hour}",
            "Can I move my appointment to {day} at {hour}?",
            "Is {hour} on {day} free?",
        ),
        (
            "Done ✅ You are booked for {day} at {hour}. We'll remind you one hour before.",
            "{hour} is taken, but I have 17:30 and 18:15 on {day}. Which one suits you?",
        ),
    ),
)

CLOSINGS = (
    Exchange(
        "general",
        ("Thank you so much 🙏", "ok thanks", "Perfect, thanks!", "👍"),
        ("You're welcome, {name}! Have a lovely day 🌷", "Happy to help. Write to us any time."),
    ),
)

ENGLISH = Voice(
    language="en",
    openings=OPENINGS,
    exchanges=EXCHANGES,
    closings=CLOSINGS,
    human_requests=(
        "I want to talk to a real person please",
        "Can someone from your team call me on {phone}?",
        "You are a bot. Give me a human, order {order} has been late for a week 😡",
        "This doesn't answer my question. Agent please",
        "I need a manager about the refund of {price}",
    ),
    waiting=(
        "Hello??",
        "Is anyone there?",
        "Still waiting…",
        "it's been an hour",
        "Any update on {order}?",
        "ok I'll wait",
        "Please, it is urgent 🙏",
    ),
    add_ons=("please", "it's for {city}", "{phone}", "order number {order}", "🙏", "and I need it before {day}"),
    long_question=(
        "Hello, I am writing because this is the third time I have a problem with an order and I would like "
        "someone to read the whole story before answering with a ready-made sentence.",
        "On {day} I ordered {product} and {other_product} (order {order}). The site took {price} from my card at "
        "once, and your confirmation said two working days. On the second day the courier wrote that I was not at "
        "home. I was at home the whole day, in {city}, and nobody rang or called {phone}.",
        "I rang the courier. They said the address was incomplete: building number missing. I have ordered from "
        "you four times with the same saved address and it always worked, so either the site lost it or somebody "
        "retyped it. I sent the full address again by e-mail, with the building, floor and flat, and a pin of the "
        "location.",
        "Two days later a box came: the {other_product} was there, but instead of the {product} there was another "
        "model, in another colour, with the seal already broken. I have photos of the label, of the seal and of "
        "the invoice inside, which shows a different customer's name. So somebody else may have my {product}.",
        "Then I opened a return on the site. Step 3 asks for the “RMA” number, and the e-mail that should contain it "
        "never came, not even in spam. The chat told me to wait 24 hours. I waited 72. I tried again from another "
        "browser (Chrome 126, then Safari on iPhone 14) and got error 500 both times.",
        "What I want is simple: 1) the correct {product}, delivered before {day}, 2) somebody to collect the "
        "wrong one from my home, because I will not pay for the return of your mistake, 3) the delivery fee back, "
        "and 4) a person with a name and a phone number that I can call if it goes wrong again.",
        "And please, nobody tell me that “the complaint was forwarded to the department concerned”. I have three "
        "ticket numbers already and not one was solved. I kept screenshots of everything and can send them here "
        "on WhatsApp.",
        "I like your shop and I have recommended it to my whole family, which is why this is disappointing. "
        "Please do not answer with the return policy. I know it by heart. Thank you for reading until here. — "
        "{name}",
    ),
    long_answer=(
        "Thank you for your patience, {name}. Here is everything about exchanges, returns and warranty in one "
        "place, so that you can keep it:",
        "1️⃣ *Exchange*: within 14 days of delivery, unused, in its original box, with the invoice. You may "
        "change size, colour or model; if the new item costs more you pay the difference, if it costs less you "
        "receive a voucher.",
        "2️⃣ *Return*: within 14 days for a refund to the same payment method. Cards take 5–10 working days "
        "depending on the bank, wallets 1–2 days, cash on delivery is refunded by bank transfer (we need the "
        "IBAN: letters and 22 digits, for example SA03 8000 0000 6080 1016 7519).",
        "3️⃣ *Wrong or damaged item*: tell us within 48 hours with three photos (the item, the label on the box, "
        "the invoice). We collect it for free and send the right one the same day whenever it is in stock. You "
        "never pay for our mistakes.",
        "4️⃣ *Warranty*: {product} has two years from the manufacturer. It covers faults of material and "
        "workmanship, not drops, water or a charger that is not original. Repair takes 7–14 working days at the "
        "authorised centre in {city}; we lend a replacement when one is available.",
        "5️⃣ *What cannot be returned*: opened personal-care items, downloaded software, gift cards, and items "
        "made to measure. They can still be repaired or replaced if they arrive faulty.",
        "6️⃣ *How to start*: My account → Orders → {order} → “Return or exchange”, or simply write here. You will "
        "receive an RMA number; write it on the box. The courier comes between 10:00 and 18:00; you can choose "
        "the day.",
        "7️⃣ *Delivery times*: capital cities 1–2 working days, other cities 2–4, remote areas up to 7. During "
        "offers and holidays add one or two days. You can follow the parcel with the tracking number that we send "
        "by SMS.",
        "8️⃣ *Prices* include VAT. If the price of {product} drops within 7 days of your order, ask us and we "
        "refund the difference as a voucher. Current price: {price}.",
        "9️⃣ *Contact*: our team answers here on WhatsApp every day from 10:00 to 22:00, or at help@shop.example.",
        "If anything is unclear, write “agent” and a colleague will join this chat. 🌷 {business}",
    ),
)
