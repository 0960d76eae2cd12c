using KestrelAcme.Architecture.Tests.Samples.Inner;

namespace KestrelAcme.Architecture.Tests.Samples.Outer;

internal static class OnlyInSignature
{
    public static bool IsNull(IEnumerable<Target>? targets) => targets is null;
}
