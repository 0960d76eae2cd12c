using KestrelAcme.Challenges;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Answers the model's challenges.</summary>
internal sealed class SimulatedChallengeHandler(SimulatedAuthority authority) : IChallengeHandler
{
    public string ChallengeType => "http-01";

    public bool CanHandle(string identifierType, string value, bool wildcard) => !wildcard;

    public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        authority.Present(context.Token!, context.KeyAuthorization);
        return Task.CompletedTask;
    }

    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        authority.Present(context.Token!, keyAuthorization: null);
        return Task.CompletedTask;
    }
}
