namespace KestrelAcme.Certificates.Orders;

/// <summary>The steps of an order, in their order. A crash after any of them loses nothing.</summary>
internal enum OrderStep
{
    LeaseTaken,
    StoreRead,
    AccountReady,
    IntentStored,
    OrderPlaced,
    OrderUrlStored,
    ChallengePrepared,
    ChallengeVisible,
    ChallengePosted,
    AuthorizationValid,
    ChallengeCleaned,
    OrderReady,
    Finalized,
    CertificateUrlStored,
    Downloaded,
    CertificateStored,
    Published,
    StateStored,
}
