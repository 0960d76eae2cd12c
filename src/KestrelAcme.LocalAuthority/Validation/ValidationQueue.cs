using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Diagnostics;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>Validates submitted challenges in the background, a limited number at a time.</summary>
internal sealed class ValidationQueue(
    AuthorizationBook authorizations,
    IReadOnlyList<IChallengeValidator> validators,
    LocalAcmeAuthorityOptions options,
    AuthorityFaults faults,
    TimeProvider time,
    AuthorityLog log) : IAsyncDisposable
{
    private const int MostAtOnce = 32;
    private static readonly TimeSpan StuckInterval = TimeSpan.FromMilliseconds(20);

    private readonly SemaphoreSlim _slots = new(MostAtOnce);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _running = [];

    public BoundedLog<ValidationAttempt> Attempts { get; } = new(100_000);

    public void Post(Authorization authorization, Challenge challenge, Account account, string accountUrl)
    {
        var target = new ChallengeTarget(authorization.Identifier, challenge.Token, $"{challenge.Token}.{account.Key.Thumbprint}")
        {
            Wildcard = authorization.Wildcard,
            AccountUrl = accountUrl,
            AccountThumbprints = [account.Key.Thumbprint, .. account.EarlierThumbprints],
            IssuerDomainNames = challenge.IssuerDomainNames ?? [],
            AccountHashPrefix = challenge.AccountHashPrefix,
        };
        var task = Task.Run(() => RunAsync(authorization, challenge, target, _stopping.Token));
        lock (_gate)
        {
            _running.Add(task);
        }

        task.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Task[] running;
        lock (_gate)
        {
            running = [.. _running];
        }

        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
        _slots.Dispose();
    }

    private void Forget(Task task)
    {
        lock (_gate)
        {
            _running.Remove(task);
        }
    }

    private async Task RunAsync(Authorization authorization, Challenge challenge, ChallengeTarget target, CancellationToken stopping)
    {
        await _slots.WaitAsync(stopping);
        try
        {
            while (faults.ValidationStuck)
            {
                await Task.Delay(StuckInterval, TimeProvider.System, stopping);
            }

            Finish(authorization, challenge, await ValidateAsync(challenge, target, stopping));
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task<Problem?> ValidateAsync(Challenge challenge, ChallengeTarget target, CancellationToken stopping)
    {
        if (faults.TakeValidationFailure(target.Identifier) is { } failure)
        {
            return failure;
        }

        // The network is real even if the CA's time is simulated.
        using var timeout = new CancellationTokenSource(options.ValidationTimeout, TimeProvider.System);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
        try
        {
            return await validators.First(v => v.Type == challenge.Type).ValidateAsync(target, both.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return Problem.Of("connection", 400, $"No response within {options.ValidationTimeout.TotalSeconds:0.#} s.");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Problem.Of("serverInternal", 500, $"The validation failed unexpectedly: {e.Message}");
        }
    }

    private void Finish(Authorization authorization, Challenge challenge, Problem? problem)
    {
        var now = time.GetUtcNow();
        Attempts.Add(new ValidationAttempt(authorization.Identifier.Value, challenge.Type, now, problem?.Detail));
        if (problem is null)
        {
            authorizations.Table.Update(authorization.Id, a => a.Succeed(challenge.Id, now, now + options.AuthorizationLifetime));
            log.Validated(authorization.Identifier.Value, challenge.Type);
        }
        else
        {
            authorizations.Table.Update(authorization.Id, a => a.Fail(challenge.Id, problem));
            log.ValidationFailed(authorization.Identifier.Value, challenge.Type, problem.Detail);
        }
    }
}
