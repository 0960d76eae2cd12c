namespace KestrelAcme.Certificates.Orders;

/// <summary>Rehearses where the last failure calls for it, and decides what its outcome means for the order.</summary>
internal sealed class RehearsalStep(RehearsalFlow flow, TimeProvider time)
{
    // From then on attempts are a day apart: production is asked itself, in case staging fails for reasons of its own.
    private const int MostRehearsals = 4;

    // Production is not kept waiting longer by a staging service that is down.
    private static readonly TimeSpan LongestOutage = TimeSpan.FromHours(1);

    /// <exception cref="OrderFailedException">The names were not validated at staging.</exception>
    /// <exception cref="RehearsalUnavailableException">Staging is down, for less than an hour.</exception>
    public async Task RunAsync(OrderContext context, CancellationToken cancellationToken)
    {
        var journal = context.Journal;
        if (!journal.State.Rehearse || journal.State.Failure?.Count >= MostRehearsals || context.Authority.Specification.StagingTwin is null || journal.Pending?.OrderUrl is not null)
        {
            return;
        }

        var outcome = await flow.RunAsync(context, cancellationToken);
        if (outcome != RehearsalOutcome.Unavailable)
        {
            await journal.RehearsedAsync(rehearseAgain: false, downSince: null, cancellationToken);
            return;
        }

        var since = journal.State.RehearsalDownSince ?? time.GetUtcNow();
        await journal.RehearsedAsync(rehearseAgain: true, since, cancellationToken);
        if (time.GetUtcNow() - since < LongestOutage)
        {
            throw new RehearsalUnavailableException();
        }
    }
}
