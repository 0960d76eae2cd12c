using System.Reflection;
using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>
/// A custom store may hang. KestrelAcme never waits for it without a limit, because it uses the store through BoundedStorage.
/// </summary>
public sealed class StorageRulesTests
{
    private const string Bound = "BoundedStorage";

    // Is wrapped by it, together with the store that it wraps.
    private const string Encrypting = "ProtectedStorage";
    private const string Registration = "src/KestrelAcme/Hosting/AcmeHttpsServiceCollectionExtensions.cs";

    [Fact]
    public void Constructors_Product_TakeTheStoreThatGivesUp()
    {
        var wrong = from type in typeof(IAcmeStorage).Assembly.GetTypes()
                    where type.Name is not (Bound or Encrypting)
                    from constructor in type.GetConstructors(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)
                    where constructor.GetParameters().Any(parameter => parameter.ParameterType == typeof(IAcmeStorage))
                    select type.FullName;

        Violations.None($"A constructor takes {Bound}, never {nameof(IAcmeStorage)}", wrong);
    }

    [Fact]
    public void Services_Product_AreAskedForTheStoreThatGivesUp()
    {
        var askers = Repository.Files("src/KestrelAcme", "*.cs")
            .Where(path => File.ReadAllText(path).Contains($"Service<{nameof(IAcmeStorage)}>", StringComparison.Ordinal))
            .Select(Repository.Relative);

        Assert.Equal([Registration], askers);
    }
}
