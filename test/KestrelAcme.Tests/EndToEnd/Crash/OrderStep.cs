using KestrelAcme.Diagnostics;

namespace KestrelAcme.Tests.EndToEnd.Crash;

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

/// <summary>What tracing sees of the steps.</summary>
internal static class OrderSteps
{
    /// <summary>The activity that ends when a step is done.</summary>
    public static string ActivityOf(OrderStep step) => step switch
    {
        OrderStep.LeaseTaken => OrderActivities.AcquireLease,
        OrderStep.StoreRead => OrderActivities.ReadStore,
        OrderStep.AccountReady => OrderActivities.OpenAccount,
        OrderStep.IntentStored => OrderActivities.StoreIntent,
        OrderStep.OrderPlaced => OrderActivities.PlaceOrder,
        OrderStep.OrderUrlStored => OrderActivities.StoreOrderUrl,
        OrderStep.ChallengePrepared => OrderActivities.PrepareChallenge,
        OrderStep.ChallengeVisible => OrderActivities.AwaitVisibility,
        OrderStep.ChallengePosted => OrderActivities.SubmitChallenge,
        OrderStep.AuthorizationValid => OrderActivities.PollAuthorization,
        OrderStep.ChallengeCleaned => OrderActivities.CleanUpChallenges,
        OrderStep.OrderReady => OrderActivities.PollOrder,
        OrderStep.Finalized => OrderActivities.FinalizeOrder,
        OrderStep.CertificateUrlStored => OrderActivities.StoreCertificateUrl,
        OrderStep.Downloaded => OrderActivities.DownloadCertificate,
        OrderStep.CertificateStored => OrderActivities.StoreCertificate,
        OrderStep.Published => OrderActivities.PublishCertificate,
        OrderStep.StateStored => OrderActivities.StoreState,
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, "There is no such step."),
    };
}
