using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>TXT records, through the look-up that the options name.</summary>
internal sealed class TxtRecords(LocalAcmeAuthorityOptions options)
{
    /// <summary>The values of a name, or why they could not be looked up.</summary>
    public async Task<(IReadOnlyList<string> Values, Problem? Problem)> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (options.TxtLookup is not { } lookup)
        {
            return ([], Problem.Of("dns", 400, $"The local authority cannot look up TXT records of {name}: its option TxtLookup is not set."));
        }

        try
        {
            return (await lookup(name, cancellationToken), null);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return ([], Problem.Of("dns", 400, $"Looking up TXT records of {name}: {e.Message}"));
        }
    }
}
