using KestrelAcme.Architecture.Tests.Samples.Inner;

namespace KestrelAcme.Architecture.Tests.Samples.Outer;

internal static class OnlyAsTypeArgument
{
    public static int Read() => Array.Empty<Dictionary<string, Target[]>>().Length;
}
