using Xunit.v3;

namespace KestrelAcme.Testing;

/// <summary>
/// Marks a test, or all tests of a class, as necessarily slow: simulated years, storms of restarts. `dotnet test` skips them;
/// continuous integration runs them (`dotnet test -p:Tests=long`).
/// </summary>
/// <remarks>test/Directory.Build.targets also names the trait.</remarks>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class LongAttribute : Attribute, ITraitAttribute
{
    /// <summary>The trait's name.</summary>
    public const string Name = "Duration";

    /// <summary>The trait's value.</summary>
    public const string Value = "Long";

    /// <inheritdoc/>
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new(Name, Value)];
}
